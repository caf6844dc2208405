/** Types that occur only in responses, and that OpenAPI does not describe. */
import type { FieldSchema, TypeSchema } from "../../../kinds/engine/type-schema.ts";

const text: FieldSchema = { type: "string" };
const texts: FieldSchema = { type: "string", of: "array" };
const always = { default: {} };
const listOf = (type: string): FieldSchema => ({ type, of: "array" });
const usage: FieldSchema = { type: "quantity", of: "map" };
/** A `duration` is text in JSON, and nanoseconds in protobuf. */
const measured: TypeSchema = {
	metadata: { type: "ObjectMeta", ...always },
	timestamp: { type: "time" },
	window: { type: "duration" },
};

const types = new Map<string, TypeSchema>([
	["PartialObjectMetadata", { metadata: { type: "ObjectMeta", ...always } }],
	["PartialObjectMetadataList", { metadata: { type: "ListMeta", ...always }, items: listOf("PartialObjectMetadata") }],
	["APIGroupDiscoveryList", { metadata: { type: "ListMeta", ...always }, items: listOf("APIGroupDiscovery") }],
	["APIGroupDiscovery", { metadata: { type: "ObjectMeta", ...always }, versions: listOf("APIVersionDiscovery") }],
	["APIVersionDiscovery", { version: text, resources: listOf("APIResourceDiscovery"), freshness: text }],
	[
		"APIResourceDiscovery",
		{
			resource: text,
			responseKind: { type: "GroupVersionKind" },
			scope: text,
			singularResource: text,
			verbs: texts,
			shortNames: texts,
			categories: texts,
			subresources: listOf("APISubresourceDiscovery"),
		},
	],
	[
		"APISubresourceDiscovery",
		{
			subresource: text,
			responseKind: { type: "GroupVersionKind" },
			acceptedTypes: listOf("GroupVersionKind"),
			verbs: texts,
		},
	],
	["GroupVersionKind", { group: text, version: text, kind: text }],
	["NodeMetricsList", { metadata: { type: "ListMeta", ...always }, items: listOf("NodeMetrics") }],
	["NodeMetrics", { ...measured, usage }],
	["PodMetricsList", { metadata: { type: "ListMeta", ...always }, items: listOf("PodMetrics") }],
	["PodMetrics", { ...measured, containers: listOf("ContainerMetrics") }],
	["ContainerMetrics", { name: text, usage }],
]);

/** Undefined for a type that is described elsewhere. */
export function answerFields(type: string): TypeSchema | undefined {
	return types.get(type);
}

export const answerTypes: readonly string[] = [...types.keys()];
