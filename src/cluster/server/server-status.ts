/** What the server says of itself and its nodes (`cox status`). */
import { existsSync } from "node:fs";
import { isNodeReady } from "../../kinds/core/node.ts";
import type { Node } from "../../kinds/generated/types.ts";
import type { ClockStatus, ClusterStatus, NodeStatus } from "../control/control-protocol.ts";
import { supervision } from "../control/supervision.ts";
import { userName } from "../files/account.ts";
import type { Layout } from "../files/layout.ts";
import { version } from "../files/version.ts";
import { poolNode } from "../nodes/node-numbering.ts";
import type { NodePool } from "../nodes/node-pool.ts";
import { apiAddress } from "../pki/server-names.ts";
import type { Settings } from "../settings/settings.ts";
import { securityNotes } from "./security-notes.ts";

/** Where it is read from. */
export interface StatusParts {
	layout: Layout;
	settings: Settings;
	clock: ClockStatus;
	/** Undefined before nodes are started. */
	pool: NodePool | undefined;
	/** URLs at which Ingresses are served. */
	ingressUrls: readonly string[];
	/** Problems that the cluster has or will have, one sentence each. */
	warnings: readonly string[];
}

/**
 * @param listed the cluster's Node objects
 * @param readyAfterMs undefined before the cluster is ready
 */
export function clusterStatus(
	parts: StatusParts,
	listed: readonly Node[],
	readyAfterMs: number | undefined,
): ClusterStatus {
	const { layout, settings, clock, pool, ingressUrls, warnings } = parts;
	const byName = new Map(listed.map((node) => [node.metadata.name, node]));
	return {
		version,
		pid: process.pid,
		server: apiAddress(settings.port),
		kubeconfig: layout.kubeconfig,
		runtime: settings.runtime,
		clock,
		mode: pool?.mode,
		security: securityNotes({
			runtime: settings.runtime,
			mode: pool?.mode,
			showHome: settings.showHome === true,
			user: userName(),
			seccomp: existsSync("/proc/sys/kernel/seccomp/actions_avail"),
			data: layout.data,
		}),
		nodes: Object.keys(settings.nodes).map((name) => nodeStatus(parts, name, byName.get(name))),
		...supervision(layout),
		ingressUrls,
		warnings,
		readyAfterMs,
	};
}

/** @param node undefined when it is not known or not asked for: then it is not Ready */
export function nodeStatus({ settings, pool }: StatusParts, name: string, node: Node | undefined): NodeStatus {
	const { address, podCidr } = poolNode(name, settings.nodes[name] ?? { index: 0, podCidr: "" });
	return {
		name,
		address,
		podCidr,
		ready: isNodeReady(node),
		agentPid: pool?.agentPid(name),
		limitations: pool?.limitations(name) ?? [],
	};
}
