/** Objects of the API inside of others (`x-kubernetes-embedded-resource`): they must be objects in their own right. */
import type { Cause } from "../../../core/errors.ts";
import { isRecord } from "../../../core/object.ts";
import { invalidEach, invalidValue, required } from "../../../core/validation/field-errors.ts";
import { changeableMetadataCauses } from "../../../core/validation/metadata-checks.ts";
import { dns1035LabelProblems, dnsLabelProblems, pathSegmentProblems } from "../../../core/validation/names.ts";
import { decodeMetadata } from "../../engine/metadata-type.ts";
import { type Path, pathText } from "./path.ts";
import type { SchemaProps } from "./schema-props.ts";
import { type Sparse, sparse, visitSparse } from "./sparse.ts";

export type EmbeddedResources = Sparse<true>;

export function embeddedResources(schema: SchemaProps): EmbeddedResources | undefined {
	return sparse(schema, (part) => (part["x-kubernetes-embedded-resource"] === true ? true : undefined));
}

/** @param base path of the value; absent: a whole object */
export function embeddedCauses(resources: EmbeddedResources | undefined, value: unknown, base = ""): Cause[] {
	const causes: Cause[] = [];
	const visit = (_: true, resource: unknown, path: Path) => {
		if (isRecord(resource)) causes.push(...resourceCauses(resource, pathText(path)));
	};
	visitSparse(resources, value, visit, base === "" ? [] : [base]);
	return causes;
}

/** What is wrong with apiVersion, kind and metadata. @param path of the object; empty for a whole one */
export function resourceCauses(resource: Record<string, unknown>, path: string): Cause[] {
	const inside = (field: string) => (path === "" ? field : `${path}.${field}`);
	return [
		...nameCauses(resource["apiVersion"], inside("apiVersion"), apiVersionProblems),
		...nameCauses(resource["kind"], inside("kind"), kindProblems),
		...(resource["metadata"] === undefined ? [] : metadataCauses(resource["metadata"], inside("metadata"))),
	];
}

function nameCauses(value: unknown, path: string, problems: (name: string) => string[]): Cause[] {
	if (value === undefined) return [required(path)];
	if (typeof value !== "string") return [invalidValue(path, value, "must be a string")];
	return value === "" ? [invalidValue(path, value, "must not be empty")] : invalidEach(path, value, problems(value));
}

function apiVersionProblems(text: string): string[] {
	return text.split("/").length > 2 ? [`unexpected GroupVersion string: ${text}`] : [];
}

function kindProblems(text: string): string[] {
	const problems = dns1035LabelProblems(text.toLowerCase());
	return problems.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${problems.join(",")}`];
}

function metadataCauses(value: unknown, path: string): Cause[] {
	const { metadata, problems } = decodeMetadata(value);
	if (problems[0] !== undefined) return [invalidValue(path, value, problems[0].message)];
	const { name, namespace } = metadata;
	return [
		...(typeof name === "string" ? invalidEach(`${path}.name`, name, pathSegmentProblems(name)) : []),
		...(typeof namespace === "string" ? invalidEach(`${path}.namespace`, namespace, dnsLabelProblems(namespace)) : []),
		// Decoded just above.
		...changeableMetadataCauses(metadata, { path, finalizersOfAnyName: true }),
	];
}
