import { describe, expect, test } from "vitest";
import { builtinSchemas } from "../../src/kinds/builtin-schemas.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import type { FieldSchema } from "../../src/kinds/engine/type-schema.ts";
import { definitionNames } from "../../src/kinds/facts.ts";
import { upstreamFacts } from "./forms.ts";

interface Resource {
	resource: string;
	singularResource: string;
	responseKind: { kind: string };
	scope: "Namespaced" | "Cluster";
	shortNames?: string[];
	categories?: string[];
	verbs: string[];
	subresources?: { subresource: string }[];
}
interface Discovery {
	items: { metadata: { name?: string }; versions: { version: string; resources: Resource[] }[] }[];
}
interface Swagger {
	definitions: Record<string, { properties?: Record<string, Property>; "x-kubernetes-map-type"?: string }>;
}

describe("built-in kinds", () => {
	const resources = new Map<string, Resource>();
	const documents = upstreamFacts<{
		aggregated_v2: Discovery;
		api__v1: {
			resources: {
				name: string;
				singularName: string;
				namespaced: boolean;
				kind: string;
				verbs: string[];
				shortNames?: string[];
				categories?: string[];
			}[];
		};
	}>("discovery");
	for (const group of documents.aggregated_v2.items)
		for (const { version, resources: list } of group.versions)
			for (const resource of list)
				resources.set(`${group.metadata.name ?? ""}/${version}/${resource.resource}`, resource);
	// The core group has a document of its own, in the older form.
	const core = documents.api__v1.resources;
	for (const { name, singularName, namespaced, kind, ...rest } of core) {
		if (name.includes("/")) continue;
		const subresources = core
			.filter((other) => other.name.startsWith(`${name}/`))
			.map((other) => ({ subresource: other.name.slice(name.length + 1) }));
		const scope = namespaced ? "Namespaced" : "Cluster";
		resources.set(`/v1/${name}`, {
			resource: name,
			singularResource: singularName,
			responseKind: { kind },
			scope,
			subresources,
			...rest,
		});
	}

	test.each(catalog.filter(isUpstreams).map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind] as const))(
		"%s is named and scoped as upstream's",
		(path, kind) => {
			const upstream = resources.get(path);
			expect(upstream).toBeDefined();
			expect({
				singular: kind.singular,
				kind: kind.kind,
				scope: kind.namespaced ? "Namespaced" : "Cluster",
				shortNames: kind.shortNames,
				categories: kind.categories,
				status: kind.subresources.status ?? false,
				scale: kind.subresources.scale !== undefined,
			}).toEqual({
				singular: upstream?.singularResource,
				kind: upstream?.responseKind.kind,
				scope: upstream?.scope,
				shortNames: upstream?.shortNames ?? [],
				categories: upstream?.categories ?? [],
				status: upstream?.subresources?.some(({ subresource }) => subresource === "status") ?? false,
				scale: upstream?.subresources?.some(({ subresource }) => subresource === "scale") ?? false,
			});
			const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
			expect(upstream?.verbs).toEqual(expect.arrayContaining(verbs));
		},
	);

	test("types have upstream's fields, merge keys, list types and quantities", () => {
		const definitions = upstreamFacts<Swagger["definitions"]>("definitions");
		const differences: string[] = [];
		let compared = 0;
		for (const [type, definition] of Object.entries(definitionNames)) {
			const upstream = definitions[definition]?.properties;
			const ours = builtinSchemas.type(type);
			if (upstream === undefined || ours === undefined) continue;
			compared++;
			for (const [name, facts] of Object.entries(upstream)) {
				const field = ours[name];
				if (field === undefined) differences.push(`${type}.${name}: missing`);
				else differences.push(...compare(`${type}.${name}`, field, facts, definitions));
			}
		}
		expect(differences).toEqual([]);
		expect(compared).toBeGreaterThan(400);
	});
});

interface Property {
	type?: string;
	$ref?: string;
	items?: Property;
	additionalProperties?: Property;
	[fact: `x-kubernetes-${string}`]: unknown;
}

/** Names the differences between a field of ours and the property upstream publishes. */
function compare(path: string, field: FieldSchema, property: Property, definitions: Swagger["definitions"]): string[] {
	const item = property.items ?? property.additionalProperties?.items ?? property.additionalProperties ?? property;
	const definition = item.$ref?.replace("#/definitions/", "") ?? "";
	const ours = {
		of: field.of,
		quantity: field.type === "quantity",
		mergeKey: field.mergeKey,
		patchStrategy: field.patchStrategy,
		listType: field.listType,
		listMapKeys: field.listMapKeys,
		mapType: field.mapType,
	};
	const theirs = {
		of: property.type === "array" ? "array" : collectionOf(property),
		quantity: definition.endsWith(".Quantity"),
		mergeKey: property["x-kubernetes-patch-merge-key"],
		patchStrategy: property["x-kubernetes-patch-strategy"],
		listType: property["x-kubernetes-list-type"],
		listMapKeys: property["x-kubernetes-list-map-keys"],
		// A type that is atomic is so wherever it is used.
		mapType: property["x-kubernetes-map-type"] ?? definitions[definition]?.["x-kubernetes-map-type"],
	} as const;
	return Object.keys(ours)
		.filter((fact) => JSON.stringify(Reflect.get(ours, fact)) !== JSON.stringify(Reflect.get(theirs, fact)))
		.map((fact) => `${path}: ${fact} is ${Reflect.get(ours, fact)}, upstream ${Reflect.get(theirs, fact)}`);
}

function collectionOf(property: Property): "map" | "arrayMap" | undefined {
	if (property.additionalProperties === undefined) return undefined;
	return property.additionalProperties.type === "array" ? "arrayMap" : "map";
}

/** Groups of our own have nothing to be compared with. */
function isUpstreams({ group }: { group: string }): boolean {
	return !group.endsWith(".coxswain.io");
}
