import type { Kind } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";

/** Whether objects of a resource are those of a kind that every API server has. */
export function isBuiltIn(registry: Registry, { group, plural }: Pick<Kind, "group" | "plural">): boolean {
	return registry.all().some((kind) => kind.group === group && kind.plural === plural && kind.custom === undefined);
}
