/** A StatefulSet: its ordinals in order, with claims, revisions and DNS names, and how far a rollout has come. */
import type { Pod, StatefulSet } from "../../../kinds/generated/types.ts";
import { Action } from "../parts/action.tsx";
import { ObjectLink } from "../parts/object-link.tsx";
import { RestartAction, Scale } from "../parts/scale.tsx";
import { Badge, PodBadge } from "../parts/status.tsx";
import { patch } from "../state/api.ts";
import { controlled, find, pathOf } from "../state/objects.ts";
import { href } from "../state/route.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { Frame } from "./frame.tsx";

const revisionLabel = "controller-revision-hash";

export function StatefulSetView({ set }: { set: StatefulSet }) {
	const w = words();
	const pods = controlled("pods", set.metadata.uid);
	const { partition = 0 } = set.spec.updateStrategy?.rollingUpdate ?? {};
	const actions = (
		<>
			<Scale plural="statefulsets" object={set} />
			<RestartAction plural="statefulsets" object={set} />
			{partition > 0 && (
				<Action run={() => patch(pathOf("statefulsets", set.metadata), { merge: withoutPartition })}>
					{w.partition} {partition} → 0
				</Action>
			)}
		</>
	);
	return (
		<Frame type="statefulset" plural="statefulsets" object={set} pods={pods} actions={actions}>
			<ol class="ordinals" aria-label={w.pods}>
				{ordinalsOf(set, pods).map(({ ordinal, pod }) => (
					<Ordinal key={ordinal} set={set} ordinal={ordinal} pod={pod} partition={partition} />
				))}
			</ol>
		</Frame>
	);
}

const withoutPartition = { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } };

/** Those that should be, and those that are still there after scaling down. */
function ordinalsOf(
	{ metadata, spec }: StatefulSet,
	pods: readonly Pod[],
): { ordinal: number; pod: Pod | undefined }[] {
	const start = spec.ordinals?.start ?? 0;
	const byOrdinal = new Map<number, Pod | undefined>();
	for (let index = 0; index < (spec.replicas ?? 1); index++) byOrdinal.set(start + index, undefined);
	for (const pod of pods) byOrdinal.set(Number(pod.metadata.name.slice(metadata.name.length + 1)), pod);
	return [...byOrdinal].sort(([a], [b]) => a - b).map(([ordinal, pod]) => ({ ordinal, pod }));
}

interface OrdinalProps {
	set: StatefulSet;
	ordinal: number;
	pod: Pod | undefined;
	partition: number;
}

function Ordinal({ set, ordinal, pod, partition }: OrdinalProps) {
	const w = words();
	const { name, namespace = "" } = set.metadata;
	const podName = `${name}-${ordinal}`;
	const isCurrent = pod?.metadata.labels?.[revisionLabel] === set.status?.updateRevision;
	const isHeld = ordinal < partition;
	const claims = (set.spec.volumeClaimTemplates ?? []).map((template) => `${template.metadata.name}-${podName}`);
	return (
		<li class={`card ordinal${pod === undefined ? " absent" : ""}`}>
			<strong class="number">{ordinal}</strong>
			<ObjectLink type="pod" of={{ namespace, name: podName }} />
			{pod === undefined ? <Badge tone="off" word={w.none} /> : <PodBadge pod={pod} />}
			{pod !== undefined && (
				<Badge tone={isCurrent ? "good" : "busy"} word={isCurrent ? w.updated : isHeld ? w.partition : w.outdated} />
			)}
			<small>{pod?.spec.nodeName}</small>
			<small>{age(pod?.metadata.creationTimestamp)}</small>
			{claims.map((claim) => {
				const isBound = find("persistentvolumeclaims", namespace, claim)?.status?.phase === "Bound";
				return (
					<a key={claim} class="claim" href={href("persistentvolumeclaim", namespace, claim)}>
						<Badge tone={isBound ? "good" : "busy"} word={claim} />
					</a>
				);
			})}
			{set.spec.serviceName && (
				<code>
					{podName}.{set.spec.serviceName}.{namespace}
				</code>
			)}
		</li>
	);
}
