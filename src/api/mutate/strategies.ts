/** Which fields the verbs for a resource, or a part of it, may change. */

import { sameFields } from "../../core/equal.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Strategy } from "./write.ts";

/**
 * Everything except status, if the kind has that subresource.
 * @param now RFC 3339
 */
export function mainStrategy(kind: Kind, now: string): Strategy {
	return {
		prepare(object, old) {
			if (kind.subresources.status) keep(object, old, "status");
			kind.prepareForUpdate?.(object, old, { now });
			if (kind.hasGeneration && !sameFields(fields(object), fields(old), notCounted))
				object.metadata.generation = (old.metadata.generation ?? 0) + 1;
		},
		validate: (object, old) => (kind.validate?.(object, old) ?? []).concat(kind.validateUpdate?.(object, old) ?? []),
	};
}

/**
 * Status and metadata.
 * @param now RFC 3339
 */
export function statusStrategy(kind: Kind, now: string): Strategy {
	const keeps = (field: string) => !statusFields.has(field);
	return {
		keeps,
		prepare(object, old) {
			for (const field of Object.keys(object)) if (keeps(field)) keep(object, old, field);
			for (const field of Object.keys(old)) if (keeps(field)) keep(object, old, field);
			kind.prepareForStatusUpdate?.(object, old, { now });
		},
		validate: (object, old) => kind.validateStatusUpdate?.(object, old) ?? [],
	};
}

/** Status is what it was where it is written apart from the rest. */
const notCounted = new Set(["metadata"]);
const statusFields = new Set(["apiVersion", "kind", "metadata", "status"]);

/**
 * Fields that were sent unchanged and are kept, which need no decoding. Within one process they are identical objects.
 */
export function needless({ keeps }: Strategy, current: object): (field: string, content: unknown) => boolean {
	return (field, content) => keeps?.(field) === true && content === fields(current)[field];
}

/** Replaces the value of a field by the old object's value. */
export function keep(object: KubeObject, old: KubeObject, field: string): void {
	const value = fields(old)[field];
	if (value === undefined && fields(object)[field] === undefined) return;
	fields(object)[field] = value;
}

/** Objects of all kinds are plain records. */
export function fields(object: object): Record<string, unknown> {
	return object as Record<string, unknown>;
}
