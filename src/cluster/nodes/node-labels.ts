import { forbiddenLabels } from "../../api/admission/node-restriction/nodes.ts";
import type { Client } from "../../client/client.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { NodePool, PoolNode } from "./node-pool.ts";

/**
 * Adds the node to the pool; resolves when it is registered with all its labels. Those that a node may not give itself
 * (such as `node-role.kubernetes.io/worker`) are written by the client as soon as there is a Node object.
 * @param client called when it is needed
 */
export async function addNode(pool: NodePool, client: () => Client | Promise<Client>, node: PoolNode): Promise<void> {
	const granted = new Set(forbiddenLabels(Object.keys(node.labels)));
	if (granted.size === 0) return pool.add(node);
	const pick = (wanted: boolean) =>
		Object.fromEntries(Object.entries(node.labels).filter(([key]) => granted.has(key) === wanted));
	await pool.add({ ...node, labels: pick(false) });
	await (await client()).patch(
		nodes,
		{ name: node.name },
		{ type: "merge", patch: { metadata: { labels: pick(true) } } },
	);
}
