/**
 * Hands the images of this machine's store to a containerd, as a registry on the loopback interface. A node's containerd
 * has no way to other registries: images are pulled into the store, by its rules.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { hex, storeFile } from "../../../images/store/layout.ts";
import type { ImageStore } from "../../../images/store/store.ts";
import { tokenHeader } from "./files.ts";
import type { PauseImage } from "./pause-image.ts";

export interface Mirror {
	/** `http://127.0.0.1:PORT` */
	url: string;
	/** Every request has it, so that pods with the node's network cannot read images of others. */
	token: string;
	close(): Promise<void>;
}

export async function startMirror(store: ImageStore, pause: PauseImage): Promise<Mirror> {
	const token = randomBytes(24).toString("hex");
	const server: Server = createServer((request, response) => {
		answer(request, response, { store, pause, token }).catch(() => response.destroy());
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	server.unref();
	// A TCP server's address is no text.
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		token,
		async close() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

interface Content {
	store: ImageStore;
	pause: PauseImage;
	token: string;
}

/** `/v2/NAME/manifests/TAG-OR-DIGEST`, `/v2/NAME/blobs/DIGEST` (OCI distribution specification, "Pull"). */
async function answer(request: IncomingMessage, response: ServerResponse, content: Content): Promise<void> {
	const { store, pause, token } = content;
	const given = Buffer.from(String(request.headers[tokenHeader] ?? ""));
	if (given.length !== token.length || !timingSafeEqual(given, Buffer.from(token))) return end(response, 401);
	if (request.method !== "GET" && request.method !== "HEAD") return end(response, 405);
	const path = (request.url ?? "").replace(/\?.*/, "");
	if (path === "/v2/") return end(response, 200);
	const [, kind, name = ""] = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
	// Only this image has a name here; all others are asked for by their digests.
	const digest = name.includes(":") ? decodeURIComponent(name) : pause.digest;
	const headers = (type: string, size: number) => ({
		"content-type": type,
		"content-length": size,
		"docker-content-digest": digest,
	});
	const own = pause.blobs.get(digest);
	if (own !== undefined) {
		response.writeHead(200, headers(own.mediaType, own.body.length));
		response.end(request.method === "HEAD" ? undefined : own.body);
		return;
	}
	const file = kind === undefined || !isDigest(digest) ? undefined : storeFile.blob(store.directory, digest);
	const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
	if (file === undefined || stats === undefined) return end(response, 404);
	const type = kind === "blobs" ? "application/octet-stream" : store.find(digest)?.image.mediaType;
	if (type === undefined) return end(response, 404);
	response.writeHead(200, headers(type, stats.size));
	if (request.method === "HEAD") response.end();
	else await pipeline(createReadStream(file), response);
}

function end(response: ServerResponse, status: number): void {
	response.writeHead(status).end();
}

function isDigest(text: string): boolean {
	try {
		hex(text);
		return true;
	} catch {
		return false;
	}
}
