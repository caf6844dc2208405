/** podFailurePolicy: the meaning of a pod's failure for the Job (KEP-3329). */
import type { ContainerStatus, Pod, PodFailurePolicyRule } from "../../kinds/generated/types.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

export interface FailureMeaning {
	/** Whether the failure counts toward a backoff limit. */
	counts: boolean;
	action?: string;
	/** For FailJob: the message of the condition. */
	message?: string;
}

const counted: FailureMeaning = { counts: true };

/** The first matching rule decides; without one the failure counts. */
export function meaningOf(pod: Pod, resolved: Pick<ResolvedSpec, "failureRules" | "perIndexLimit">): FailureMeaning {
	for (const [place, rule] of (resolved.failureRules ?? []).entries()) {
		const what = matched(pod, rule);
		if (what === undefined) continue;
		const { action } = rule;
		switch (action) {
			case "Ignore":
				return { counts: false, action };
			case "FailJob":
				return { counts: true, action, message: `${what} matching ${action} rule at index ${place}` };
			case "FailIndex":
				if (resolved.perIndexLimit === undefined) continue;
				return { counts: true, action };
			case "Count":
				return { counts: true, action };
		}
	}
	return counted;
}

/** What matches the rule, as text for a message; undefined if the pod does not match. */
function matched(pod: Pod, rule: PodFailurePolicyRule): string | undefined {
	const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
	if (rule.onExitCodes !== undefined) {
		const { operator, values, containerName } = rule.onExitCodes;
		const fits = ({ name: container, state }: ContainerStatus) => {
			const exitCode = state?.terminated?.exitCode;
			if (exitCode === undefined || exitCode === 0) return false;
			if (containerName !== undefined && containerName !== container) return false;
			return operator === "In" ? values.includes(exitCode) : operator === "NotIn" && !values.includes(exitCode);
		};
		const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
		const container = containerStatuses.find(fits) ?? initContainerStatuses.find(fits);
		if (container === undefined) return undefined;
		return `Container ${container.name} for pod ${name} failed with exit code ${container.state?.terminated?.exitCode}`;
	}
	for (const pattern of rule.onPodConditions ?? []) {
		const wanted = pattern.status ?? "True";
		const fits = pod.status?.conditions?.some(({ type, status }) => type === pattern.type && status === wanted);
		if (fits) return `Pod ${name} has condition ${pattern.type}`;
	}
	return undefined;
}
