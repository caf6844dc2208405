/** Real nodes of an embedded cluster: a directory, and sockets of the API server. Loaded on demand. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "../../api/handle.ts";
import { type Listener, listen } from "../../api/listen.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import type { Access } from "./access.ts";

export interface NodeSockets {
	layout: Layout;
	close(): Promise<void>;
}

export async function openNodeSockets(api: Api, { certificates }: Access): Promise<NodeSockets> {
	const layout = layoutOf(mkdtempSync(join(tmpdir(), "coxswain-")));
	const listeners: Listener[] = [];
	const close = async () => {
		for (const listener of listeners) await listener.close();
		for (const folder of [layout.data, layout.sockets]) await rm(folder, { recursive: true, force: true });
	};
	try {
		mkdirSync(layout.sockets, { recursive: true, mode: 0o700 });
		const tls = { ...certificates.server, clientCa: certificates.authority.ca };
		listeners.push(await listen(api, { tls, socketPath: layout.apiTlsSocket }));
		listeners.push(await listen(api, { socketPath: layout.apiSocket }));
		return { layout, close };
	} catch (error) {
		await close();
		throw error;
	}
}
