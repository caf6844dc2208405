import type { Pod } from "../../../kinds/generated/types.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { ObjectLink } from "./object-link.tsx";
import { PodBadge } from "./status.tsx";
import { Table } from "./table.tsx";

export function PodTable({ pods }: { pods: readonly Pod[] }) {
	const w = words();
	if (pods.length === 0) return <p class="empty">{w.none}</p>;
	return (
		<Table headings={[w.name, w.status, w.restarts, w.node, w.age]}>
			{pods.map((pod) => (
				<tr key={pod.metadata.uid}>
					<td>
						<ObjectLink type="pod" of={pod.metadata} />
					</td>
					<td>
						<PodBadge pod={pod} />
					</td>
					<td>{restartsOf(pod)}</td>
					<td>{pod.spec.nodeName ?? ""}</td>
					<td>{age(pod.metadata.creationTimestamp)}</td>
				</tr>
			))}
		</Table>
	);
}

export function restartsOf({ status }: Pod): number {
	return (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
