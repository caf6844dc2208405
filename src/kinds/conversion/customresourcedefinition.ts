/**
 * Definitions as apiextensions.k8s.io/v1beta1 had them: one schema, one set of columns and subresources for all
 * versions, schemas without types, and fields that no schema names kept unless the definition said otherwise.
 */
import { semanticEqual } from "../../core/equal.ts";
import type {
	CustomResourceConversion,
	CustomResourceDefinition,
	CustomResourceDefinitionSpec,
	CustomResourceDefinitionVersion,
	JSONSchemaProps,
	WebhookConversion,
} from "../generated/types.ts";
import { oldVersion } from "./deprecation.ts";

type Shared = Pick<CustomResourceDefinitionVersion, "subresources" | "additionalPrinterColumns" | "selectableFields">;

type OldSpec = CustomResourceDefinitionSpec &
	Shared & {
		version?: string;
		validation?: CustomResourceDefinitionVersion["schema"];
		conversion?: CustomResourceConversion & Partial<OldWebhook>;
	};

interface OldWebhook {
	webhookClientConfig: NonNullable<WebhookConversion["clientConfig"]>;
	conversionReviewVersions: string[];
}

export const oldCustomResourceDefinition = oldVersion({
	apiVersion: "apiextensions.k8s.io/v1beta1",
	kind: "CustomResourceDefinition",
	schema: "OldCustomResourceDefinition",
	deprecatedIn: "v1.16",
	removedIn: "v1.22",
	current: "apiextensions.k8s.io/v1",
	toStorage(object) {
		// The lookup that leads here found the kind; a definition that is applied in part may lack its spec.
		const spec = (object as CustomResourceDefinition).spec as OldSpec | undefined;
		if (spec === undefined) return;
		spec.scope ||= "Namespaced";
		const { version, validation, subresources, additionalPrinterColumns, selectableFields } = spec;
		const keepsUnknown = spec.preserveUnknownFields !== false;
		delete spec.preserveUnknownFields;
		for (const field of ["version", "validation", "subresources", "additionalPrinterColumns"] as const)
			delete spec[field];
		delete spec.selectableFields;
		if ((spec.versions ?? []).length === 0 && version) spec.versions = [{ name: version, served: true, storage: true }];
		for (const one of spec.versions ?? []) {
			one.schema ??= validation ?? {};
			one.schema = { openAPIV3Schema: structural(one.schema.openAPIV3Schema ?? { type: "object" }, keepsUnknown) };
			if (one.subresources === undefined && subresources !== undefined) one.subresources = subresources;
			if (one.selectableFields === undefined && selectableFields !== undefined) one.selectableFields = selectableFields;
			const columns = one.additionalPrinterColumns ?? additionalPrinterColumns;
			if (columns !== undefined) one.additionalPrinterColumns = columns.map(currentColumn);
		}
		convertWebhook(spec);
	},
	fromStorage(object) {
		const spec = (object as CustomResourceDefinition).spec as OldSpec;
		const versions = spec.versions ?? [];
		const [first] = versions;
		if (first === undefined) return;
		spec.version = first.name;
		for (const one of versions)
			if (one.additionalPrinterColumns !== undefined)
				one.additionalPrinterColumns = one.additionalPrinterColumns.map(oldColumn);
		const take = <F extends keyof Shared | "schema">(field: F) => {
			const value = first[field];
			if (value === undefined || !versions.every((one) => semanticEqual(one[field], value))) return undefined;
			for (const one of versions) delete one[field];
			return value;
		};
		const [schema, subresources] = [take("schema"), take("subresources")];
		const [columns, fields] = [take("additionalPrinterColumns"), take("selectableFields")];
		if (schema !== undefined) spec.validation = schema;
		if (subresources !== undefined) spec.subresources = subresources;
		if (columns !== undefined) spec.additionalPrinterColumns = columns;
		if (fields !== undefined) spec.selectableFields = fields;
		spec.preserveUnknownFields = false;
		const { conversion } = spec;
		const { webhook } = conversion ?? {};
		if (conversion === undefined || webhook === undefined) return;
		delete conversion.webhook;
		conversion.conversionReviewVersions = webhook.conversionReviewVersions;
		if (webhook.clientConfig !== undefined) conversion.webhookClientConfig = webhook.clientConfig;
	},
});

function convertWebhook({ conversion }: OldSpec): void {
	if (conversion === undefined) return;
	const { webhookClientConfig: clientConfig, conversionReviewVersions = [] } = conversion;
	delete conversion.webhookClientConfig;
	delete conversion.conversionReviewVersions;
	if (conversion.strategy !== "Webhook") return;
	const versions = conversionReviewVersions.length > 0 ? conversionReviewVersions : ["v1beta1"];
	conversion.webhook = { ...(clientConfig && { clientConfig }), conversionReviewVersions: versions };
}

type Column = NonNullable<CustomResourceDefinitionVersion["additionalPrinterColumns"]>[number];

/** The old version has one field under another name. */
function currentColumn({ JSONPath = "", ...column }: Column & { JSONPath?: string }): Column {
	return { ...column, jsonPath: JSONPath };
}

function oldColumn({ jsonPath, ...column }: Column): Column {
	return { ...column, JSONPath: jsonPath } as unknown as Column;
}

/** What current schemas must say and old ones did not: the type of everything, and that unknown fields are kept. */
function structural(schema: JSONSchemaProps, keepsUnknown: boolean): JSONSchemaProps {
	const result = { ...schema };
	const inner = (child: JSONSchemaProps) => structural(child, keepsUnknown);
	if (schema.properties !== undefined)
		result.properties = Object.fromEntries(
			Object.entries(schema.properties).map(([name, property]) => [name, inner(property)]),
		);
	if (schema.items !== undefined && !Array.isArray(schema.items)) result.items = inner(schema.items);
	if (typeof schema.additionalProperties === "object") result.additionalProperties = inner(schema.additionalProperties);
	if (schema["x-kubernetes-int-or-string"]) return result;
	if (result.type === undefined) {
		if (result.properties !== undefined || result.additionalProperties !== undefined) result.type = "object";
		else if (result.items !== undefined) result.type = "array";
		else result["x-kubernetes-preserve-unknown-fields"] = true;
	}
	if (keepsUnknown && result.type === "object" && result.additionalProperties === undefined)
		result["x-kubernetes-preserve-unknown-fields"] = true;
	return result;
}
