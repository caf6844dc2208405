/** A pod: whether it runs and is ready, and if not, the first step of its life that it does not get past. */
import { conditionOf } from "../../core/conditions.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { isFinished, isReady, isTerminating } from "../../kinds/pod/pod-lifecycle.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, latestEvent } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { containerFindings } from "./containers.ts";
import { nodeProblem } from "./node.ts";
import { endFindings, removalFindings } from "./pod-end.ts";
import { schedulingFindings } from "./scheduling.ts";

export function podFindings(pod: Pod, evidence: Evidence): Finding[] {
	if (isTerminating(pod)) return removalFindings(pod, evidence);
	if (isFinished(pod)) return endFindings(pod, evidence);
	if (!pod.spec.nodeName) return schedulingFindings(pod, evidence);
	const lost = nodeProblem(pod.spec.nodeName, evidence);
	if (lost !== undefined) return [finding(subjectOf(pod), "nodeLost", { node: pod.spec.nodeName }), lost];
	if (isReady(pod)) return [finding(subjectOf(pod), "running", {})];
	const found = containerFindings(pod, evidence);
	return found.length > 0 ? found : beforeContainers(pod, evidence);
}

/** Whether the pod needs no explanation: it runs and is ready, or has succeeded. */
export function isWell(pod: Pod): boolean {
	return !isTerminating(pod) && (isReady(pod) || pod.status?.phase === "Succeeded");
}

export function subjectOf({ metadata }: Pod): Subject {
	return { type: "pod", name: metadata.name };
}

/** No container says why: its sandbox, its volumes, or conditions that others must set. */
function beforeContainers(pod: Pod, evidence: Evidence): Finding[] {
	const about = subjectOf(pod);
	const show = [commandsIn(evidence.namespace).describe("pod", pod.metadata.name)];
	const event = latestEvent(evidence, pod.metadata, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox");
	const message = event?.message ?? "";
	if (event?.reason === "FailedCreatePodSandBox") return [finding(about, "sandboxFailed", { message }, show)];
	if (event !== undefined) return [finding(about, "volumeNotMounted", { message }, show)];
	const gates = (pod.spec.readinessGates ?? [])
		.map(({ conditionType }) => conditionType)
		.filter((type) => conditionOf(pod, type)?.status !== "True");
	if (gates.length > 0) return [finding(about, "readinessGates", { gates: gates.join(", ") }, show)];
	return [finding(about, "creating", {}, show)];
}
