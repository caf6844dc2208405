/** Nodes and the pods on them, and pods that no node has taken. */

import { isTrue } from "../../../core/conditions.ts";
import { parseQuantity } from "../../../core/quantity.ts";
import type { Node, Pod } from "../../../kinds/generated/types.ts";
import { isFinished } from "../../../kinds/pod/pod-lifecycle.ts";
import { Action } from "../parts/action.tsx";
import { ObjectLink } from "../parts/object-link.tsx";
import { PodTile } from "../parts/pod-tile.tsx";
import { Badge, type Status } from "../parts/status.tsx";
import { patch } from "../state/api.ts";
import { all, pathOf } from "../state/objects.ts";
import { isChosen } from "../state/route.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";

export function ClusterView() {
	const w = words();
	const byNode = new Map<string, Pod[]>();
	for (const pod of all("pods")) {
		if (!isChosen(pod)) continue;
		const node = pod.spec.nodeName ?? "";
		byNode.set(node, [...(byNode.get(node) ?? []), pod]);
	}
	const waiting = byNode.get("") ?? [];
	return (
		<>
			<h1>{w.cluster}</h1>
			<div class="nodes">
				{all("nodes").map((node) => (
					<NodeCard key={node.metadata.uid} node={node} pods={byNode.get(node.metadata.name) ?? []} />
				))}
			</div>
			{waiting.length > 0 && (
				<section class="card waiting">
					<h2>{w.unscheduled}</h2>
					<div class="tiles">
						{waiting.map((pod) => (
							<PodTile key={pod.metadata.uid} pod={pod} label={pod.metadata.name} />
						))}
					</div>
				</section>
			)}
		</>
	);
}

export function nodeStatus(node: Node): Status {
	const w = words();
	if (!isTrue(node, "Ready")) return { tone: "bad", word: w.notReady };
	return node.spec?.unschedulable ? { tone: "off", word: w.cordoned } : { tone: "good", word: w.ready };
}

function NodeCard({ node, pods }: { node: Node; pods: readonly Pod[] }) {
	const w = words();
	const { name, creationTimestamp } = node.metadata;
	const taints = node.spec?.taints ?? [];
	return (
		<section class="card node" aria-label={name}>
			<h2>
				<ObjectLink type="node" of={{ name }} /> <Badge {...nodeStatus(node)} /> <small>{age(creationTimestamp)}</small>
			</h2>
			{taints.map(({ key, value, effect }) => (
				<span class="taint" key={`${key}${effect}`}>
					{key}
					{value ? `=${value}` : ""}:{effect}
				</span>
			))}
			<Share node={node} pods={pods} resource="cpu" />
			<Share node={node} pods={pods} resource="memory" />
			<div class="tiles">
				{pods.map((pod) => (
					<PodTile key={pod.metadata.uid} pod={pod} />
				))}
				{pods.length === 0 && <span class="empty">{w.none}</span>}
			</div>
			<CordonAction node={node} />
		</section>
	);
}

export function CordonAction({ node }: { node: Node }) {
	const w = words();
	const isCordoned = node.spec?.unschedulable === true;
	const change = { spec: { unschedulable: isCordoned ? null : true } };
	return (
		<Action run={() => patch(pathOf("nodes", node.metadata), { strategic: change })}>
			{isCordoned ? w.uncordon : w.cordon}
		</Action>
	);
}

/** How much of what the node has its pods request. */
function Share({ node, pods, resource }: { node: Node; pods: readonly Pod[]; resource: "cpu" | "memory" }) {
	const w = words();
	const capacity = amount(node.status?.allocatable?.[resource]);
	if (capacity === 0) return null;
	let requested = 0;
	for (const pod of pods)
		if (!isFinished(pod))
			for (const { resources } of pod.spec.containers) requested += amount(resources?.requests?.[resource]);
	const percent = Math.round((requested / capacity) * 100);
	return (
		<div class="share">
			<span>
				{resource}: {percent} % {w.requested}
			</span>
			<meter min={0} max={100} value={percent} high={90} aria-label={`${resource} ${w.requested}`} />
		</div>
	);
}

function amount(quantity: string | undefined): number {
	return quantity === undefined ? 0 : Number(parseQuantity(quantity) ?? 0);
}
