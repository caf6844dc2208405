/** Conditions of objects of any kind (Kubernetes API conventions, "Typical status properties"). */

interface Condition {
	type?: string;
	status?: string;
}

interface WithConditions<C extends Condition> {
	status?: { conditions?: readonly C[] };
}

export function conditionOf<C extends Condition>(object: WithConditions<C> | undefined, type: string): C | undefined {
	return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the condition holds: what is not said, or is Unknown, does not. */
export function isTrue(object: WithConditions<Condition> | undefined, type: string): boolean {
	return conditionOf(object, type)?.status === "True";
}
