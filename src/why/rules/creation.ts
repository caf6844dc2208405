/** Pods and claims that a workload cannot create: quotas, admission, invalid templates. */
import type { ObjectMeta } from "../../core/object.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, latestEvent, timeOf } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";

/** The latest failure to create one, unless a later one was created. */
export function creationProblem(about: Subject, { uid }: ObjectMeta, evidence: Evidence): Finding[] {
	const failure = latestEvent(evidence, { uid }, "FailedCreate");
	if (failure === undefined) return [];
	const success = latestEvent(evidence, { uid }, "SuccessfulCreate");
	if (success !== undefined && timeOf(success) > timeOf(failure)) return [];
	const commands = commandsIn(evidence.namespace);
	const { message = "" } = failure;
	const [, verdict, quota] = /(exceeded|failed) quota: ([^,:]+)/.exec(message) ?? [];
	if (quota !== undefined) {
		const code = verdict === "exceeded" ? "quotaExceeded" : "quotaNeedsRequests";
		return [finding(about, code, { quota, message }, [commands.describe("resourcequota", quota)])];
	}
	return [finding(about, "cannotCreate", { message }, [commands.describe(about.type, about.name)])];
}
