/** What is wrong with the versions of a definition: schemas, subresources, columns and selectable fields. */
import { sameJson } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { required } from "../../core/validation/field-errors.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types.ts";
import { columnCauses } from "./column-causes.ts";
import { ruleDefinitionCauses } from "./rules/definition-causes.ts";
import { scalePathCauses } from "./scale-causes.ts";
import { schemaCauses } from "./schema/definition/schema-causes.ts";
import type { SchemaProps } from "./schema/schema-props.ts";
import { selectableCauses } from "./selectable-causes.ts";
import { causesUnlessValid } from "./valid-schemas.ts";

type Spec = CustomResourceDefinition["spec"];
type Version = CustomResourceDefinitionVersion;

/**
 * Does not check names and versions. Problems that all versions share are reported once, and as problems of a field
 * of the spec, as upstream does.
 * @param old before an update: schemas that have not changed stay as they are
 */
export function versionCauses({ spec }: CustomResourceDefinition, old?: CustomResourceDefinition): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { schema }] of spec.versions.entries())
		if (schema?.openAPIV3Schema === undefined) causes.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
	eachDistinct(spec, "schema", "validation", (version, path, isShared) => {
		const schema = schemaOf(version);
		if (schema === undefined || sameJson(schema, schemaOf(sameVersion(old, version)))) return;
		const hasStatus = (isShared ? spec.versions : [version]).some(({ subresources }) => subresources?.status);
		const schemaPath = `${path}.openAPIV3Schema`;
		const check = () => {
			const found = schemaCauses(schema, { path: schemaPath, hasStatus });
			// Expressions rely on the types of the schema.
			return found.length > 0 ? found : ruleDefinitionCauses(schema, schemaPath);
		};
		causes.push(...causesUnlessValid(schema, hasStatus ? "with status" : "", check));
	});
	eachDistinct(spec, "subresources", "subresources", ({ subresources }, path) => {
		if (subresources?.scale !== undefined) causes.push(...scalePathCauses(subresources.scale, `${path}.scale`));
	});
	eachDistinct(spec, "additionalPrinterColumns", "additionalPrinterColumns", ({ additionalPrinterColumns }, path) => {
		for (const [index, column] of (additionalPrinterColumns ?? []).entries())
			causes.push(...columnCauses(column, `${path}[${index}]`));
	});
	eachDistinct(spec, "selectableFields", "selectableFields", (version, path) => {
		const before = sameVersion(old, version)?.selectableFields ?? [];
		causes.push(...selectableCauses(version.selectableFields ?? [], schemaOf(version), path, before));
	});
	return causes;
}

/** Calls `check` for each version, or once where the versions do not differ in a field. */
function eachDistinct(
	{ versions }: Spec,
	field: keyof Version,
	sharedField: string,
	check: (version: Version, path: string, isShared: boolean) => void,
): void {
	const [first] = versions;
	if (first === undefined) return;
	if (versions.every((version) => sameJson(version[field], first[field]))) check(first, `spec.${sharedField}`, true);
	else for (const [index, version] of versions.entries()) check(version, `spec.versions[${index}].${field}`, false);
}

function sameVersion(definition: CustomResourceDefinition | undefined, { name }: Version): Version | undefined {
	return definition?.spec.versions.find((version) => version.name === name);
}

function schemaOf(version: Version | undefined): SchemaProps | undefined {
	// The generated type knows less of the same schema.
	return version?.schema?.openAPIV3Schema as SchemaProps | undefined;
}
