/** Who a client certificate says the client is: its common name is the user, its organisations are the groups. */
import { TLSSocket } from "node:tls";
import type { User } from "../../core/exchange.ts";

const known = new WeakMap<TLSSocket, User>();

/** Undefined without a certificate that our authority signed. */
export function peerOf(socket: unknown): User | undefined {
	// A resumed session has its certificate in the session; `authorized` holds for both.
	if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
	let user = known.get(socket);
	if (user === undefined) {
		const subject = socket.getPeerCertificate()?.subject as Record<string, string | string[] | undefined> | undefined;
		const name = subject?.["CN"];
		if (typeof name !== "string" || name === "") return undefined;
		const organisations = subject?.["O"] ?? [];
		const groups = typeof organisations === "string" ? [organisations] : organisations;
		user = { name, groups: [...groups, "system:authenticated"] };
		known.set(socket, user);
	}
	return user;
}
