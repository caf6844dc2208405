/** `autoscaling/v1 Scale`: replicas of an object, in the same form for every kind. */
import { ApiError } from "../../core/errors.ts";
import { isRecord, type KubeObject } from "../../core/object.ts";
import { valueAt } from "../../core/object-path.ts";
import { type LabelSelector, selectorFrom } from "../../core/selection/selector.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Scale } from "../../kinds/generated/types.ts";

/** What the scale subresource of an object looks like. */
export function scaleOf(kind: Kind, object: KubeObject): Scale {
	const paths = kind.subresources.scale;
	const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
	const selector = paths?.selector === undefined ? undefined : selectorText(valueAt(object, paths.selector));
	return {
		kind: "Scale",
		apiVersion: "autoscaling/v1",
		metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
		spec: { replicas: Number(replicasOf(kind, object) ?? 0) },
		status: {
			replicas: Number(valueAt(object, paths?.statusReplicas ?? "") ?? 0),
			...(selector === undefined ? {} : { selector }),
		},
	};
}

/** As the object says it, whatever that is; undefined where it says nothing. */
export function replicasOf(kind: Kind, object: KubeObject): unknown {
	return valueAt(object, replicasPath(kind));
}

/**
 * In place, along a path that is copied: what the object shares with others stays as it is.
 * @throws ApiError InternalError where the path leads through something else than objects
 */
export function setReplicas(kind: Kind, object: object, replicas: unknown): void {
	const parts = replicasPath(kind)
		.split(".")
		.filter((part) => part !== "");
	const last = parts.pop() ?? "";
	let at = object as Record<string, unknown>;
	for (const part of parts) {
		const found = at[part] ?? {};
		// An object may be older than the definition's path.
		if (!isRecord(found))
			throw new ApiError("InternalError", `Internal error occurred: ${part} of ${kind.kind} is not an object`);
		const next = { ...found };
		at[part] = next;
		at = next;
	}
	at[last] = replicas;
}

/** Where a kind keeps its number of replicas. */
export function replicasPath({ subresources }: Kind): string {
	return subresources.scale?.specReplicas ?? ".spec.replicas";
}

function selectorText(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	if (typeof value !== "object" || value === null) return undefined;
	// ReplicationControllers have plain labels where others have a selector.
	if ("matchLabels" in value || "matchExpressions" in value) return selectorFrom(value as LabelSelector).toString();
	return selectorFrom({ matchLabels: value as Record<string, string> }).toString();
}
