/** What is wrong with the names and flags of a definition's versions; kinds/custom/ knows about what they say. */
import type { Cause } from "../../core/errors.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { dns1035LabelProblems } from "../../core/validation/names.ts";
import type { CustomResourceDefinitionSpec, CustomResourceDefinitionVersion } from "../generated/types.ts";

export function versionsProblems({ versions = [] }: CustomResourceDefinitionSpec): Cause[] {
	const causes: Cause[] = [];
	for (const [index, version] of versions.entries()) {
		const path = `spec.versions[${index}]`;
		const nameProblems = dns1035LabelProblems(version.name);
		if (nameProblems.length > 0) causes.push(invalidValue(`${path}.name`, version.name, nameProblems.join(",")));
		causes.push(...deprecationProblems(version, `${path}.deprecationWarning`));
	}
	if (new Set(versions.map(({ name }) => name)).size < versions.length)
		causes.push(invalidValue("spec.versions", versions, "must contain unique version names"));
	if (versions.filter(({ storage }) => storage).length !== 1)
		causes.push(invalidValue("spec.versions", versions, "must have exactly one version marked as storage version"));
	return causes;
}

const longestWarning = 256;

function deprecationProblems(version: CustomResourceDefinitionVersion, path: string): Cause[] {
	const { deprecated = false, deprecationWarning: text } = version;
	if (text === undefined) return [];
	const problem = (why: string) => [invalidValue(path, text, why)];
	if (!deprecated) return problem("can only be set for deprecated versions");
	if (text.length === 0) return problem("must not be an empty string");
	const causes = Buffer.byteLength(text) > longestWarning ? problem("must be <= 256 characters long") : [];
	// As Go sees it: of all white space only the plain blank can be printed.
	const at = text.search(/[^\P{C}]|[^\P{Z}\u{20}]/u);
	if (at < 0) return causes;
	const index = Buffer.byteLength(text.slice(0, at));
	const why = `must only contain printable UTF-8 characters; non-printable character found at index ${index}`;
	return causes.concat(problem(why));
}
