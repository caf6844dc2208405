/** StatefulSets: which pod all others wait for, and why that one is not ready. */
import { selectorFromLabels } from "../../core/selection/selector.ts";
import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, podsOf } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { creationProblem } from "./creation.ts";
import { isWell, podFindings } from "./pod.ts";

const revisionLabel = "controller-revision-hash";

export function statefulSetFindings(set: StatefulSet, evidence: Evidence): Finding[] {
	const about: Subject = { type: "statefulset", name: set.metadata.name };
	const wanted = set.spec.replicas ?? 1;
	const pods = podsOf(evidence, set.metadata);
	const slots = slotsOf(set, pods);
	const ready = slots.filter(({ pod }) => pod !== undefined && isWell(pod)).length;
	const found = [
		...waiting(set, slots, ready, evidence),
		...rollout(set, pods, evidence),
		...serviceProblem(set, evidence),
	];
	if (wanted === 0) return [finding(about, "scaledToZero", {}), ...found];
	return found.length > 0 ? found : [finding(about, "complete", { ready })];
}

interface Slot {
	name: string;
	pod: Pod | undefined;
}

/** The pods that the set should have, by ordinal. */
function slotsOf({ metadata, spec }: StatefulSet, pods: readonly Pod[]): Slot[] {
	const start = spec.ordinals?.start ?? 0;
	return Array.from({ length: spec.replicas ?? 1 }, (_, index) => {
		const name = `${metadata.name}-${start + index}`;
		return { name, pod: pods.find((pod) => pod.metadata.name === name) };
	});
}

/** The first pod that is missing or not ready; with OrderedReady, later ones wait for it. */
function waiting(set: StatefulSet, slots: readonly Slot[], ready: number, evidence: Evidence): Finding[] {
	const about: Subject = { type: "statefulset", name: set.metadata.name };
	const at = slots.findIndex(({ pod }) => pod === undefined || !isWell(pod));
	const slot = slots[at];
	if (slot === undefined) return [];
	const show = [commandsIn(evidence.namespace).get("pods")];
	const next = slots.slice(at + 1).find(({ pod }) => pod === undefined);
	const counts = { pod: slot.name, ready, wanted: slots.length };
	const isOrdered = set.spec.podManagementPolicy !== "Parallel";
	const first =
		isOrdered && next !== undefined
			? finding(about, "waitsForEarlierPod", { ...counts, next: next.name }, show)
			: finding(about, "waitsForPod", counts, show);
	const causes =
		slot.pod === undefined ? creationProblem(about, set.metadata, evidence) : podFindings(slot.pod, evidence);
	return [first, ...causes, ...stuck(set, slot.pod)];
}

/** Upstream's known issue "Forced rollback": a pod of a bad revision is not replaced until it is ready. */
function stuck({ metadata, spec, status }: StatefulSet, pod: Pod | undefined): Finding[] {
	if (pod === undefined || spec.podManagementPolicy === "Parallel") return [];
	const revision = pod.metadata.labels?.[revisionLabel];
	if (revision === undefined || status?.updateRevision === undefined || revision === status.updateRevision) return [];
	const about: Subject = { type: "statefulset", name: metadata.name };
	const remove = commandsIn(metadata.namespace ?? "default").remove("pod", pod.metadata.name);
	return [finding(about, "stuckRevision", { pod: pod.metadata.name }, [remove])];
}

function rollout({ metadata, spec, status }: StatefulSet, pods: readonly Pod[], evidence: Evidence): Finding[] {
	const about: Subject = { type: "statefulset", name: metadata.name };
	const outdated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] !== status?.updateRevision).length;
	if (outdated === 0 || status?.updateRevision === undefined) return [];
	const show = [commandsIn(evidence.namespace).get(`pods -L ${revisionLabel}`)];
	if (spec.updateStrategy?.type === "OnDelete") return [finding(about, "onDelete", { outdated }, show)];
	const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
	return partition > 0 ? [finding(about, "partition", { partition, updated: pods.length - outdated }, show)] : [];
}

/** Only a Service that selects the pods gives them DNS names, headless or not; they start without it. */
function serviceProblem({ metadata, spec }: StatefulSet, evidence: Evidence): Finding[] {
	const { serviceName: name } = spec;
	if (!name) return [];
	const about: Subject = { type: "statefulset", name: metadata.name };
	const commands = commandsIn(evidence.namespace);
	const service = evidence.services.find((one) => one.metadata.name === name);
	if (service === undefined) return [finding(about, "serviceMissing", { service: name }, [commands.get("services")])];
	const { selector } = service.spec ?? {};
	// Without a selector, somebody else writes its endpoints.
	if (selector === undefined || selectorFromLabels(selector).matches(spec.template.metadata?.labels)) return [];
	return [finding(about, "serviceSelectsOthers", { service: name }, [commands.describe("service", name)])];
}
