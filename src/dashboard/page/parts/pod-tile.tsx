import type { Pod } from "../../../kinds/generated/types.ts";
import { href } from "../state/route.ts";
import { Mark, podStatus } from "./status.tsx";

/** A pod as a small tile; its name and state are read out and shown on hover. */
export function PodTile({ pod, label }: { pod: Pod; label?: string }) {
	const { word, tone } = podStatus(pod);
	const { name, namespace } = pod.metadata;
	const title = `${namespace}/${name}: ${word}`;
	return (
		<a class={`tile ${tone}`} href={href("pod", namespace, name)} title={title} aria-label={title}>
			<Mark tone={tone} />
			{label !== undefined && <span>{label}</span>}
		</a>
	);
}
