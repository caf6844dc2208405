import { existsSync } from "node:fs";
import { request } from "node:http";
import type { Layout } from "../files/layout.ts";
import type { ControlRequests } from "./control-protocol.ts";

/** The cluster of this data directory is not running. */
export class NotRunning extends Error {
	constructor(data: string, why = `no cluster is running in ${data}; start one with 'cox up'`) {
		super(why);
		this.name = "NotRunning";
	}
}

/**
 * Sends one request to the server process.
 * @throws NotRunning if no server listens; Error with the server's own message
 */
export function control<Name extends keyof ControlRequests>(
	layout: Layout,
	name: Name,
	...[body]: ControlRequests[Name]["body"] extends undefined ? [] : [ControlRequests[Name]["body"]]
): Promise<ControlRequests[Name]["reply"]> {
	return new Promise((resolve, reject) => {
		// Before a first request is made, which takes 10 ms.
		if (!existsSync(layout.controlSocket)) throw new NotRunning(layout.data);
		const outgoing = request({ socketPath: layout.controlSocket, path: `/${name}`, method: "POST" }, (incoming) => {
			const chunks: Buffer[] = [];
			incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
			incoming.on("error", reject);
			incoming.on("end", () => {
				const text = Buffer.concat(chunks).toString();
				if (incoming.statusCode !== 200) reject(new Error(text));
				// Both ends are built from the same ControlRequests.
				else resolve(JSON.parse(text) as ControlRequests[Name]["reply"]);
			});
		});
		outgoing.on("error", (error: NodeJS.ErrnoException) => {
			if (error.code === "ENOENT" || error.code === "ECONNREFUSED") reject(new NotRunning(layout.data));
			else if (error.code === "ECONNRESET")
				reject(new NotRunning(layout.data, "the server process ended before it answered; see 'cox status'"));
			else reject(error);
		});
		outgoing.end(body === undefined ? undefined : JSON.stringify(body));
	});
}
