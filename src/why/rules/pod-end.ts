/** Pods that have terminated, or are being deleted. */
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import type { Evidence } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { nodeProblem } from "./node.ts";

export function endFindings(pod: Pod, evidence: Evidence): Finding[] {
	const { metadata, status = {} } = pod;
	const about: Subject = { type: "pod", name: metadata.name };
	const commands = commandsIn(evidence.namespace);
	if (status.phase === "Succeeded") return [finding(about, "succeeded", {})];
	if (status.reason) {
		const { reason, message = "" } = status;
		return [finding(about, "failed", { reason, message }, [commands.describe("pod", metadata.name)])];
	}
	for (const { name, state } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
		const { exitCode, reason = "" } = state?.terminated ?? {};
		if (exitCode === undefined || exitCode === 0) continue;
		const log = { pod: metadata.name, container: name, previous: false };
		return [
			finding(about, "exited", { container: name, exitCode, reason }, [commands.logs(log.pod, name, false)], log),
		];
	}
	return [finding(about, "failed", { reason: "", message: status.message ?? "" })];
}

export function removalFindings({ metadata, spec, status }: Pod, evidence: Evidence): Finding[] {
	const about: Subject = { type: "pod", name: metadata.name };
	const show = commandsIn(evidence.namespace).get(`pod ${metadata.name} -o yaml`);
	const grace = metadata.deletionGracePeriodSeconds ?? 0;
	// The deletion timestamp is the time at which the grace period ends.
	const endsMs = parseTimestamp(metadata.deletionTimestamp ?? metadata.creationTimestamp);
	const seconds = Math.max(0, Math.round((evidence.nowMs - endsMs) / 1000) + grace);
	const lost = spec.nodeName ? nodeProblem(spec.nodeName, evidence) : undefined;
	if (lost !== undefined) return [finding(about, "nodeLost", { node: spec.nodeName ?? "" }, [show]), lost];
	const isOver = !spec.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed";
	const names = (metadata.finalizers ?? []).join(", ");
	if (isOver && names !== "") return [finding(about, "finalizers", { names }, [show])];
	return [finding(about, "terminating", { seconds, grace }, [show])];
}
