/** Rules by which webhooks and policies choose requests (`RuleWithOperations`), and conditions that narrow them. */
import type { Cause } from "../../core/errors.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import type { RuleWithOperations } from "../generated/types.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

export function setRuleDefaults(rules: readonly RuleWithOperations[] | undefined): void {
	for (const rule of rules ?? []) rule.scope ??= "*";
}

export function validateRule(rule: RuleWithOperations, path: string): Cause[] {
	const chosen = rule.operations ?? [];
	const causes = someOrAll(chosen, `${path}.operations`, "operations");
	for (const [index, operation] of chosen.entries())
		if (!operations.includes(operation))
			causes.push(notSupported(`${path}.operations[${index}]`, operation, operations));
	causes.push(...someOrAll(rule.apiGroups ?? [], `${path}.apiGroups`, "API groups"));
	const versions = rule.apiVersions ?? [];
	causes.push(...someOrAll(versions, `${path}.apiVersions`, "API versions"));
	for (const [index, version] of versions.entries())
		if (version === "") causes.push(required(`${path}.apiVersions[${index}]`));
	causes.push(...validateResources(rule.resources ?? [], `${path}.resources`));
	if (rule.scope !== undefined && !scopes.includes(rule.scope))
		causes.push(notSupported(`${path}.scope`, rule.scope, scopes));
	return causes;
}

/** A list that must not be empty, and in which `*` stands alone. */
function someOrAll(values: readonly string[], path: string, what: string): Cause[] {
	if (values.length === 0) return [required(path)];
	if (values.length === 1 || !values.includes("*")) return [];
	return [invalidValue(path, values, `if '*' is present, must not specify other ${what}`)];
}

/** Resources, subresources, or wildcards in the place of either. */
function validateResources(resources: readonly string[], path: string): Cause[] {
	if (resources.length === 0) return [required(path)];
	const causes: Cause[] = [];
	/** Those that a wildcard before them covers. */
	const covering = { resources: new Set<string>(), subresources: new Set<string>() };
	for (const [index, text] of resources.entries()) {
		const at = `${path}[${index}]`;
		if (text === "") causes.push(required(at));
		const cut = text.indexOf("/");
		if (cut < 0) continue;
		const [resource, subresource] = [text.slice(0, cut), text.slice(cut + 1)];
		const covered = (by: string) => invalidValue(at, text, `if '${by}' is present, must not specify ${text}`);
		if (covering.resources.has(resource)) causes.push(covered(`${resource}/*`));
		if (covering.subresources.has(subresource)) causes.push(covered(`*/${subresource}`));
		if (subresource === "*") covering.resources.add(resource);
		if (resource === "*") covering.subresources.add(subresource);
	}
	if (resources.length > 1 && resources.includes("*/*"))
		causes.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"));
	if (resources.includes("*") && resources.some((text) => text !== "*" && text !== "" && !text.includes("/")))
		causes.push(
			invalidValue(path, resources, "if '*' is present, must not specify other resources without subresources"),
		);
	return causes;
}
