import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { messageOf } from "../../core/errors.ts";
import type { ControlRequests } from "./control-protocol.ts";

export type ControlHandlers = {
	[Name in keyof ControlRequests]: (body: ControlRequests[Name]["body"]) => Promise<ControlRequests[Name]["reply"]>;
};

const largestBodyBytes = 1 << 20;

/** Serves the control requests on a Unix socket that only its owner may use (its folder has mode 0700). */
export async function serveControl(socketPath: string, handlers: ControlHandlers): Promise<{ close(): Promise<void> }> {
	const server = createServer(async (incoming, outgoing) => {
		const answer = (code: number, text: string) => outgoing.writeHead(code).end(text);
		try {
			const chunks: Buffer[] = [];
			let bytes = 0;
			for await (const chunk of incoming) {
				bytes += chunk.length;
				if (bytes > largestBodyBytes) return answer(413, "request too large");
				chunks.push(chunk);
			}
			const name = (incoming.url ?? "").slice(1);
			if (!isRequest(name, handlers)) return answer(404, `unknown request ${name}`);
			const body = bytes === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
			// The name picks the handler, and both ends are built from the same ControlRequests.
			const handler = handlers[name] as (body: unknown) => Promise<unknown>;
			answer(200, JSON.stringify(await handler(body)));
		} catch (error) {
			answer(500, messageOf(error));
		}
	});
	rmSync(socketPath, { force: true });
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(socketPath, resolve);
	});
	return {
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeIdleConnections();
			}),
	};
}

function isRequest(name: string, handlers: ControlHandlers): name is keyof ControlRequests {
	return Object.hasOwn(handlers, name);
}
