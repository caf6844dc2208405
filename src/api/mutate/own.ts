/** Writes by the API server itself, which no client requested. */
import { apiServerUser } from "../access/masters.ts";
import type { Context, Server } from "../server/server.ts";

/** Replaces a request's context: the user is the server, and warnings are discarded. */
export function ownContext(server: Server): Context {
	return {
		server,
		request: {
			method: "POST",
			path: "",
			query: new URLSearchParams(),
			headers: { "user-agent": "kube-apiserver" },
			signal: new AbortController().signal,
		},
		info: { verb: "other", method: "post", path: "" },
		user: apiServerUser,
		warnings: [],
		audit: undefined,
	};
}
