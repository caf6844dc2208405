/** Calls an API server in the same process: no sockets, no encoding, the server's own frozen objects. */
import { ApiError } from "../../core/errors.ts";
import type { Handler, User } from "../../core/exchange.ts";
import type { Transport } from "../client.ts";

/** @param user of every request */
export function memoryTransport(handler: Handler, user: User): Transport {
	let closed = false;
	return {
		send(request) {
			if (closed) return Promise.reject(new ApiError("ServiceUnavailable", "the client is closed"));
			const { method, path, query, headers, body, signal } = request;
			return handler({ method, path, query, headers, user, body, signal });
		},
		async close() {
			closed = true;
		},
	};
}
