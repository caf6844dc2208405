/** Conditions of definitions, as upstream's controllers set them. */
import { isTrue } from "../../core/conditions.ts";
import type {
	CustomResourceDefinition,
	CustomResourceDefinitionCondition,
	CustomResourceDefinitionStatus,
} from "../generated/types.ts";

export type ConditionType =
	| "Established"
	| "NamesAccepted"
	| "NonStructuralSchema"
	| "Terminating"
	| "KubernetesAPIApprovalPolicyConformant";

export interface Condition extends CustomResourceDefinitionCondition {
	type: ConditionType;
	status: "True" | "False" | "Unknown";
	reason: string;
	message: string;
}

export function conditionHolds(definition: CustomResourceDefinition, type: ConditionType): boolean {
	return isTrue(definition, type);
}

/** The status with a condition set. One whose status stays keeps its time; with everything else equal nothing changes. */
export function withCondition(
	status: CustomResourceDefinitionStatus | undefined,
	condition: Condition,
): CustomResourceDefinitionStatus {
	const conditions = status?.conditions ?? [];
	const at = conditions.findIndex(({ type }) => type === condition.type);
	const old = conditions[at];
	if (old === undefined) return { ...status, conditions: [...conditions, condition] };
	if (isEquivalent(old, condition)) return status ?? {};
	const time = old.status === condition.status ? old.lastTransitionTime : undefined;
	const next = { ...condition, lastTransitionTime: time ?? condition.lastTransitionTime };
	return { ...status, conditions: conditions.with(at, next) };
}

function isEquivalent(one: CustomResourceDefinitionCondition, other: CustomResourceDefinitionCondition): boolean {
	return one.status === other.status && one.reason === other.reason && one.message === other.message;
}
