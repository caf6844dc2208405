/** Makes the nodes of a running cluster those of its file. */

import type { Client } from "../../client/client.ts";
import { connect } from "../../cluster/control/connect.ts";
import { control } from "../../cluster/control/control-client.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import type { DescribedNode } from "../../cluster/settings/cluster-file.ts";
import { isReason } from "../../core/errors.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Taint } from "../../kinds/generated/types.ts";

/**
 * Adds missing nodes, and labels and taints that are missing on others. Other nodes, labels and taints stay.
 * @param progress takes a sentence about each step
 */
export async function ensureNodes(
	layout: Layout,
	described: readonly DescribedNode[],
	progress: (text: string) => void,
): Promise<void> {
	const status = await control(layout, "status");
	const present = new Set(status.nodes.map(({ name }) => name));
	const groups = new Map<string, DescribedNode[]>();
	for (const node of described) {
		if (present.has(node.name)) continue;
		const key = JSON.stringify(node.labels);
		groups.set(key, [...(groups.get(key) ?? []), node]);
	}
	for (const [labels, group] of groups) {
		const names = group.map(({ name }) => name);
		progress(`adding ${names.join(", ")}`);
		await control(layout, "addNodes", { names, labels: JSON.parse(labels) });
	}
	await using connection = await connect(layout, "cox");
	for (const node of described) await ensureNode(connection.client, node);
}

const mostAttempts = 10;

/** Others change nodes meanwhile, the kubelet and the node lifecycle controller. */
async function ensureNode(client: Client, { name, labels, taints }: DescribedNode): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		const { metadata, spec } = await client.get(nodes, { name });
		const wanted = withTaints(spec?.taints ?? [], taints);
		const lacksLabels = Object.entries(labels).some(([key, value]) => metadata.labels?.[key] !== value);
		if (!lacksLabels && wanted === undefined) return;
		const patch = {
			metadata: { resourceVersion: metadata.resourceVersion, labels },
			...(wanted !== undefined && { spec: { taints: wanted } }),
		};
		try {
			await client.patch(nodes, { name }, { type: "merge", patch });
			return;
		} catch (error) {
			if (!isReason(error, "Conflict") || attempt === mostAttempts) throw error;
		}
	}
}

/** All taints, those of the file with their values; undefined if nothing changes. */
function withTaints(present: readonly Taint[], described: readonly Taint[]): Taint[] | undefined {
	const isSame = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
	const missing = described.filter(
		(one) => !present.some((other) => isSame(one, other) && (one.value ?? "") === (other.value ?? "")),
	);
	if (missing.length === 0) return undefined;
	return [...present.filter((one) => !missing.some((other) => isSame(one, other))), ...missing];
}
