/** Definitions of custom resources, for tests. */
import type { Draft } from "../../../core/object.ts";
import type {
	CustomResourceDefinition,
	CustomResourceDefinitionSpec,
	CustomResourceDefinitionVersion,
} from "../../../kinds/generated/types.ts";

export const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** A version that takes any fields. */
export function version(
	name: string,
	more: Partial<CustomResourceDefinitionVersion> = {},
): CustomResourceDefinitionVersion {
	const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
	return { name, served: true, storage: true, schema: { openAPIV3Schema }, ...more };
}

/** `widgets.example.com`, unless told otherwise. */
export function definition(
	more: Partial<CustomResourceDefinitionSpec> = {},
): Draft<CustomResourceDefinition> & { metadata: { name: string } } {
	const spec: CustomResourceDefinitionSpec = {
		group: "example.com",
		scope: "Namespaced",
		names: { plural: "widgets", kind: "Widget" },
		versions: [version("v1")],
		...more,
	};
	return { metadata: { name: `${spec.names.plural}.${spec.group}` }, spec };
}
