/** A DaemonSet: each node, with its pod or the lack of one. */
import type { DaemonSet } from "../../../kinds/generated/types.ts";
import { ObjectLink } from "../parts/object-link.tsx";
import { RestartAction } from "../parts/scale.tsx";
import { Badge, PodBadge } from "../parts/status.tsx";
import { all, controlled } from "../state/objects.ts";
import { words } from "../text/words.ts";
import { nodeStatus } from "./cluster.tsx";
import { Frame } from "./frame.tsx";

export function DaemonSetView({ set }: { set: DaemonSet }) {
	const w = words();
	const pods = controlled("pods", set.metadata.uid);
	return (
		<Frame
			type="daemonset"
			plural="daemonsets"
			object={set}
			pods={pods}
			actions={<RestartAction plural="daemonsets" object={set} />}
		>
			<ul class="ordinals" aria-label={w.nodes}>
				{all("nodes").map((node) => {
					const { name, uid } = node.metadata;
					const pod = pods.find(({ spec }) => spec.nodeName === name);
					return (
						<li key={uid} class={`card ordinal${pod === undefined ? " absent" : ""}`}>
							<ObjectLink type="node" of={{ name }} />
							<Badge {...nodeStatus(node)} />
							{pod === undefined ? (
								<Badge tone="off" word={w.none} />
							) : (
								<>
									<ObjectLink type="pod" of={pod.metadata} />
									<PodBadge pod={pod} />
								</>
							)}
						</li>
					);
				})}
			</ul>
		</Frame>
	);
}
