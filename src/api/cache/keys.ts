/** Keys of objects in the store: `/objects/{group}/{plural}/{namespace}/{name}`; `core` is the core group. */
import type { KindNames } from "../../kinds/engine/kind.ts";

/** The prefix of all keys of the API server. */
export const keyRoot = "/";

/** Keys of allocations, such as addresses; the cache has the set of them. */
export const claimRoot = "/claims/";

const objectRoot = "/objects/";

/** `group/plural`, the name of a resource in the cache. */
export function resourceName({ group, plural }: Pick<KindNames, "group" | "plural">): string {
	return `${group === "" ? "core" : group}/${plural}`;
}

/** The prefix of all objects of a kind, or of those in one namespace. */
export function keyPrefix(kind: Pick<KindNames, "group" | "plural">, namespace?: string): string {
	const prefix = `${objectRoot}${resourceName(kind)}/`;
	return namespace === undefined ? prefix : `${prefix}${namespace}/`;
}

/** @param namespace undefined for kinds without */
export function objectKey(
	kind: Pick<KindNames, "group" | "plural">,
	namespace: string | undefined,
	name: string,
): string {
	return `${keyPrefix(kind, namespace)}${name}`;
}

/** `group/plural` of an object's key; undefined for keys of other things. */
export function resourceOfKey(key: string): string | undefined {
	if (!key.startsWith(objectRoot)) return undefined;
	const groupEnd = key.indexOf("/", objectRoot.length);
	const pluralEnd = key.indexOf("/", groupEnd + 1);
	return key.slice(objectRoot.length, pluralEnd);
}
