/** Real nodes for an embedded cluster: namespaces and agent processes of this machine. Loaded only when asked for. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "../../api/handle.ts";
import { listen } from "../../api/listen.ts";
import { systemClock } from "../../core/clock.ts";
import { layoutOf } from "../files/layout.ts";
import type { NodePool } from "../nodes/node-pool.ts";
import { createProcessNodes } from "../nodes/process-nodes.ts";
import type { LocalTokens } from "../pki/local-tokens.ts";
import type { Access } from "./access.ts";

/** @param tokens what the nodes' agents are known by */
export async function openProcessNodes(options: {
	api: Api;
	access: Access;
	clusterCidr: string;
	serviceCidr: string;
	tokens: LocalTokens;
}): Promise<NodePool> {
	const { api, access, clusterCidr, serviceCidr, tokens } = options;
	const layout = layoutOf(mkdtempSync(join(tmpdir(), "coxswain-")));
	mkdirSync(layout.sockets, { recursive: true, mode: 0o700 });
	const tls = { ...access.certificates.server, clientCa: access.certificates.authority.ca };
	const listeners = [
		await listen(api, { tls, socketPath: layout.apiTlsSocket }),
		await listen(api, { socketPath: layout.apiSocket }),
	];
	const close = async () => {
		for (const listener of listeners) await listener.close();
		for (const folder of [layout.data, layout.sockets]) await rm(folder, { recursive: true, force: true });
	};
	try {
		const pool = await createProcessNodes({ layout, clock: systemClock(), clusterCidr, serviceCidr, tokens });
		return {
			...(pool.mode === undefined ? {} : { mode: pool.mode }),
			add: (node) => pool.add(node),
			remove: (name) => pool.remove(name),
			dial: (name) => pool.dial(name),
			dialAddress: (address, port) => pool.dialAddress?.(address, port),
			agentPid: (name) => pool.agentPid(name),
			limitations: (name) => pool.limitations(name),
			async stop() {
				await pool.stop();
				await close();
			},
		};
	} catch (error) {
		await close();
		throw error;
	}
}
