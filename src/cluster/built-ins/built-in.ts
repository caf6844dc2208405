/** Objects that every cluster has: made at its start, and kept from then on. */
import type { Draft, KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

export interface BuiltIn<T extends KubeObject = KubeObject> {
	readonly kind: Kind<T>;
	readonly draft: Draft<T>;
	/**
	 * What is there, with what it lacked; undefined when it lacks nothing. `replace`: it is to be deleted and made again.
	 */
	mended(found: T): T | "replace" | undefined;
}

/** @param mended default: any changes by users are kept, as long as it exists */
export function builtIn<T extends KubeObject>(
	kind: Kind<T>,
	draft: Draft<T>,
	mended: (found: T, wanted: Draft<T>) => T | "replace" | undefined = () => undefined,
): BuiltIn {
	// Users of the list compare objects with those of their own kind only.
	return { kind, draft, mended: (found: T) => mended(found, draft) } as unknown as BuiltIn;
}

/** Names the object among all built-in ones. */
export function builtInKey(
	{ plural, group }: Kind,
	{ namespace = "", name = "" }: Partial<KubeObject["metadata"]>,
): string {
	return `${group}/${plural}/${namespace}/${name}`;
}
