/** Pods that a workload cannot create: quotas, admission, invalid templates. */
import type { ObjectMeta } from "../../core/object.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, latestEvent, timeOf } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";

/** The latest failure to create a pod, unless a later one was created. */
export function creationProblem(about: Subject, { uid }: ObjectMeta, evidence: Evidence): Finding[] {
	const failure = latestEvent(evidence, { uid }, "FailedCreate");
	if (failure === undefined) return [];
	const success = latestEvent(evidence, { uid }, "SuccessfulCreate");
	if (success !== undefined && timeOf(success) > timeOf(failure)) return [];
	const commands = commandsIn(evidence.namespace);
	const { message = "" } = failure;
	const quota = /exceeded quota: ([^,]+)/.exec(message)?.[1];
	if (quota !== undefined)
		return [finding(about, "quotaExceeded", { quota, message }, [commands.describe("resourcequota", quota)])];
	return [finding(about, "cannotCreate", { message }, [commands.describe(about.type, about.name)])];
}
