/** Jobs: what their pods did, and whether another attempt follows. */
import { conditionOf, isTrue } from "../../core/conditions.ts";
import type { Job, Pod } from "../../kinds/generated/types.ts";
import { isFinished } from "../../kinds/pod/pod-lifecycle.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, podsOf } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { creationProblem } from "./creation.ts";
import { isWell, podFindings } from "./pod.ts";

export function jobFindings(job: Job, evidence: Evidence): Finding[] {
	const { metadata, spec, status = {} } = job;
	const about: Subject = { type: "job", name: metadata.name };
	const show = [commandsIn(evidence.namespace).describe("job", metadata.name)];
	const pods = podsOf(evidence, metadata).toSorted((a, b) => createdOf(a).localeCompare(createdOf(b)));
	if (isTrue(job, "Complete")) return [finding(about, "jobComplete", { succeeded: status.succeeded ?? 0 })];
	if (isTrue(job, "Failed")) {
		const { reason = "", message = "" } = conditionOf(job, "Failed") ?? {};
		return [finding(about, "jobFailed", { reason, message }, show), ...lastFailure(pods, evidence)];
	}
	if (spec.suspend) {
		const resume = `kubectl patch job ${metadata.name} -p '{"spec":{"suspend":false}}'`;
		return [finding(about, "jobSuspended", {}, [resume])];
	}
	const { active = 0, succeeded = 0, failed = 0 } = status;
	const found = active === 0 ? creationProblem(about, metadata, evidence) : [];
	const stuck = pods.find((pod) => !isFinished(pod) && !isWell(pod));
	if (stuck !== undefined) found.push(...podFindings(stuck, evidence));
	if (failed > 0) {
		found.push(finding(about, "jobRetries", { failed, limit: spec.backoffLimit ?? 6 }, show));
		if (active === 0 && found.length === 1) found.push(finding(about, "jobBackingOff", { failed }, show));
		found.push(...lastFailure(pods, evidence));
	}
	const wanted = spec.completions ?? 1;
	return [finding(about, "jobRunning", { active, succeeded, wanted }, show), ...found];
}

function createdOf({ metadata }: Pod): string {
	return metadata.creationTimestamp;
}

/** How the latest failed pod ended. */
function lastFailure(pods: readonly Pod[], evidence: Evidence): Finding[] {
	const failed = pods.findLast(({ status }) => status?.phase === "Failed");
	return failed === undefined ? [] : podFindings(failed, evidence);
}
