/** Custom resources for the client, which knows only the kinds that it is given. */
import type { KubeObject } from "../core/object.ts";
import type { Kind, KindNames } from "../kinds/engine/kind.ts";

export interface CustomResourceNames extends KindNames {
	/** As the definition's `scope` says. Default true. */
	namespaced?: boolean;
	/** Whether the definition has the subresource `status`. Default true. */
	status?: boolean;
}

/**
 * A custom resource, for the functions of a client and of an embedded cluster. It can be made before the definition
 * exists; the server checks objects by the definition.
 */
export function customResource<T extends KubeObject>(names: CustomResourceNames): Kind<T> {
	const { group, version, kind, plural, namespaced = true, status = true } = names;
	return {
		group,
		version,
		kind,
		plural,
		singular: kind.toLowerCase(),
		shortNames: [],
		categories: [],
		namespaced,
		schema: kind,
		subresources: status ? { status: true } : {},
		hasGeneration: true,
		nameRule: "dnsSubdomain",
		selectableFields: [],
		columns: [],
	};
}
