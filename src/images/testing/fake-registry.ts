/** A registry in this process whose answers a test chooses, for what real ones do only when they are ill. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { BuiltImage } from "./image-builder.ts";

export interface FakeRegistry {
	host: string;
	/** Method and path of each request, in order, with what is asked of them. */
	requests: { path: string; authorization: string | undefined; range: string | undefined }[];
	stop(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** @param first answers a request itself where it returns true */
export async function startFakeRegistry(image: BuiltImage, first: Answer = () => false): Promise<FakeRegistry> {
	const blobs = new Map([image.config, ...image.layers].map((blob) => [blob.digest, blob.body]));
	const requests: FakeRegistry["requests"] = [];
	const server: Server = createServer((request, response) => {
		const { url = "", headers } = request;
		requests.push({ path: url, authorization: headers.authorization, range: headers.range });
		if (first(request, response) === true) return;
		const [, kind, name = ""] = /\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
		const body = kind === "manifests" ? image.manifest.body : blobs.get(name);
		if (body === undefined) {
			response.writeHead(404).end();
			return;
		}
		const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
		const type = kind === "manifests" ? image.manifest.mediaType : "application/octet-stream";
		response.writeHead(from > 0 ? 206 : 200, { "content-type": type }).end(body.subarray(from));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	if (address === null || typeof address === "string") throw new Error("no port");
	return {
		host: `127.0.0.1:${address.port}`,
		requests,
		async stop() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}
