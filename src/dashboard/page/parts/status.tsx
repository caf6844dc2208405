/** The state of pods as a word, a color and a shape: color alone does not say it. */
import type { Pod } from "../../../kinds/generated/types.ts";
import { isReady, isTerminating } from "../../../kinds/pod/pod-lifecycle.ts";

export type Tone = "good" | "busy" | "bad" | "done" | "off";

const marks: Readonly<Record<Tone, string>> = { good: "●", busy: "◐", bad: "▲", done: "✓", off: "○" };

export interface Status {
	tone: Tone;
	word: string;
}

/** As `kubectl get pods` has it, mostly. */
export function podStatus(pod: Pod): Status {
	const { status = {} } = pod;
	if (isTerminating(pod)) return { word: "Terminating", tone: "off" };
	const initial = status.initContainerStatuses ?? [];
	for (const { state } of [...initial, ...(status.containerStatuses ?? [])]) {
		const reason = state?.waiting?.reason;
		if (reason !== undefined && reason !== "ContainerCreating" && reason !== "PodInitializing")
			return { word: reason, tone: "bad" };
	}
	if (status.phase === "Succeeded") return { word: "Completed", tone: "done" };
	if (status.phase === "Failed") return { word: status.reason ?? "Error", tone: "bad" };
	if (isReady(pod)) return { word: "Running", tone: "good" };
	if (status.phase === "Running") return { word: "Running", tone: "busy" };
	const isRefused = status.conditions?.some(({ type, status: is }) => type === "PodScheduled" && is === "False");
	return { word: "Pending", tone: isRefused ? "bad" : "busy" };
}

export function Mark({ tone }: { tone: Tone }) {
	return (
		<span class={`mark ${tone}`} aria-hidden="true">
			{marks[tone]}
		</span>
	);
}

export function Badge({ tone, word }: Status) {
	return (
		<span class={`badge ${tone}`}>
			<Mark tone={tone} /> {word}
		</span>
	);
}

export function PodBadge({ pod }: { pod: Pod }) {
	return <Badge {...podStatus(pod)} />;
}
