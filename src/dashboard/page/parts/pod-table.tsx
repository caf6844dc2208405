import type { Pod } from "../../../kinds/generated/types.ts";
import { href } from "../state/route.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { PodBadge } from "./status.tsx";

export function PodTable({ pods }: { pods: readonly Pod[] }) {
	const w = words();
	if (pods.length === 0) return <p class="empty">{w.none}</p>;
	return (
		<table>
			<thead>
				<tr>
					<th scope="col">{w.name}</th>
					<th scope="col">{w.status}</th>
					<th scope="col">{w.restarts}</th>
					<th scope="col">{w.node}</th>
					<th scope="col">{w.age}</th>
				</tr>
			</thead>
			<tbody>
				{pods.map((pod) => (
					<tr key={pod.metadata.uid}>
						<td>
							<a href={href("pod", pod.metadata.namespace, pod.metadata.name)}>{pod.metadata.name}</a>
						</td>
						<td>
							<PodBadge pod={pod} />
						</td>
						<td>{restartsOf(pod)}</td>
						<td>{pod.spec.nodeName ?? ""}</td>
						<td>{age(pod.metadata.creationTimestamp)}</td>
					</tr>
				))}
			</tbody>
		</table>
	);
}

export function restartsOf({ status }: Pod): number {
	return (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
