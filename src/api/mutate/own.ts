/** What the API server does by itself: nobody asked for it, or not for this part of it. */
import { apiServerUser } from "../access/masters.ts";
import type { Context, Server } from "../server.ts";

/** In the place of a request's: the server's user, and nobody who reads warnings. */
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
