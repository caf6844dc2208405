/** The server's own requests to extension API servers. */
import type { User } from "../../core/exchange.ts";
import { mastersGroup } from "../request/authorizer.ts";
import type { Server } from "../server/server.ts";
import type { Backend } from "./backend.ts";
import { identityHeaders } from "./identity-headers.ts";
import { loopHeader } from "./loops.ts";

/** The user agent of upstream. */
export const aggregator: User = { name: "system:kube-aggregator", groups: [mastersGroup] };

export interface Told {
	status: number;
	headers: Readonly<Record<string, string | string[] | undefined>>;
	/** Empty if only the head was requested. */
	body: Buffer;
}

export interface Question {
	path: string;
	headers?: Readonly<Record<string, string>>;
	timeoutMs: number;
	/** Bytes of the answer. 0: only its head is read. */
	most: number;
	/** Aborts the request. */
	signal?: AbortSignal;
}

/** @throws Error if there is no response in time, or it is too large */
export async function ask({ clock, options }: Server, backend: Backend, question: Question): Promise<Told> {
	const { path, headers = {}, timeoutMs, most, signal } = question;
	const ending = new AbortController();
	// The other end is outside the cluster, whose clock may be virtual.
	const timer = (options.wallClock ?? clock).after(timeoutMs, () =>
		ending.abort(new Error("context deadline exceeded")),
	);
	try {
		const response = await backend.ask({
			method: "GET",
			path,
			headers: { ...headers, ...loopHeader(), ...identityHeaders(aggregator) },
			signal: signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]),
		});
		const parts: Buffer[] = [];
		let length = 0;
		if (most === 0) response.destroy();
		else
			for await (const part of response) {
				length += part.length;
				if (length > most) throw new Error(`the answer is larger than ${most} bytes`);
				parts.push(part);
			}
		return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) };
	} catch (error) {
		throw ending.signal.aborted ? ending.signal.reason : error;
	} finally {
		timer.cancel();
		ending.abort();
	}
}
