/** Conditions that callers of an embedded cluster can wait for. */
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

/** A name, `namespace/name`, both as fields, or an object. The default namespace is `default`. */
export type Target =
	| string
	| { namespace?: string; name: string }
	| { metadata: { namespace?: string | undefined; name: string } };

/** `exists`, the type of a condition in the object's status that must be True, or a function. */
export type Condition<T extends KubeObject> = "exists" | (string & {}) | ((object: T) => boolean);

/** @param otherwise the namespace of a target that names none */
export function refOf(
	kind: Pick<Kind, "namespaced">,
	target: Target,
	otherwise = "default",
): { namespace?: string; name: string } {
	const { namespace, name } =
		typeof target === "string" ? split(target) : "metadata" in target ? target.metadata : target;
	return kind.namespaced ? { namespace: namespace ?? otherwise, name } : { name };
}

function split(text: string): { namespace?: string; name: string } {
	const cut = text.indexOf("/");
	return cut < 0 ? { name: text } : { namespace: text.slice(0, cut), name: text.slice(cut + 1) };
}

/** A function that is false for an object that does not exist, except for `deleted`. */
export function conditionOf<T extends KubeObject>(condition: Condition<T>): (object: T | undefined) => boolean {
	if (typeof condition === "function") return (object) => object !== undefined && condition(object);
	if (condition === "deleted") return (object) => object === undefined;
	if (condition === "exists") return (object) => object !== undefined;
	return (object) => {
		// Kinds with conditions have them in this form (API conventions, "Typical status properties").
		const { status } = (object ?? {}) as { status?: { conditions?: readonly { type: string; status: string }[] } };
		return status?.conditions?.some(({ type, status }) => type === condition && status === "True") ?? false;
	};
}
