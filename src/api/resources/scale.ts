/** `autoscaling/v1 Scale`: replicas of an object, in the same form for every kind. */
import type { KubeObject } from "../../core/object.ts";
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
		spec: { replicas: Number(valueAt(object, paths?.specReplicas ?? "") ?? 0) },
		status: {
			replicas: Number(valueAt(object, paths?.statusReplicas ?? "") ?? 0),
			...(selector === undefined ? {} : { selector }),
		},
	};
}

function selectorText(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	if (typeof value !== "object" || value === null) return undefined;
	// ReplicationControllers have plain labels where others have a selector.
	if ("matchLabels" in value || "matchExpressions" in value) return selectorFrom(value as LabelSelector).toString();
	return selectorFrom({ matchLabels: value as Record<string, string> }).toString();
}
