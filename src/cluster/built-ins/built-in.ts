/** Objects that every cluster has: created at its start, and restored afterwards. */
import type { Draft, KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

export interface BuiltIn<T extends KubeObject = KubeObject> {
	readonly kind: Kind<T>;
	readonly draft: Draft<T>;
	/** The object with what it lacks; undefined if it lacks nothing. `replace`: it must be deleted and created again. */
	mended(found: T): T | "replace" | undefined;
}

/** @param mended default: an existing object is accepted, with any changes by users */
export function builtIn<T extends KubeObject>(
	kind: Kind<T>,
	draft: Draft<T>,
	mended: (found: T, wanted: Draft<T>) => T | "replace" | undefined = () => undefined,
): BuiltIn {
	// Users of the list pass only objects of the same kind.
	return { kind, draft, mended: (found: T) => mended(found, draft) } as unknown as BuiltIn;
}

/** Identifies the object among all built-in ones. */
export function builtInKey(
	{ plural, group }: Kind,
	{ namespace = "", name = "" }: Partial<KubeObject["metadata"]>,
): string {
	return `${group}/${plural}/${namespace}/${name}`;
}
