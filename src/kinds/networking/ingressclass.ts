import type { Cause } from "../../core/errors.ts";
import { immutable, requiredText } from "../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, tooLongValue } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { IngressClass } from "../generated/types.ts";

export const ingressClasses: Kind<IngressClass> = {
	group: "networking.k8s.io",
	version: "v1",
	kind: "IngressClass",
	plural: "ingressclasses",
	singular: "ingressclass",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "IngressClass",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Controller", "Who serves ingresses of the class.", ({ spec }) => spec?.controller ?? ""),
		column("Parameters", "Further configuration.", ({ spec }) => {
			const parameters = spec?.parameters;
			if (parameters === undefined) return "<none>";
			const kind = parameters.apiGroup ? `${parameters.kind}.${parameters.apiGroup}` : parameters.kind;
			return `${kind}/${parameters.name}`;
		}),
		ageColumn,
	],

	setDefaults(ingressClass) {
		ingressClass.spec ??= {};
		if (ingressClass.spec.parameters !== undefined) ingressClass.spec.parameters.scope ??= "Cluster";
	},
	validate: ({ spec }) => controllerProblems(spec?.controller ?? "", "spec.controller"),
	validateUpdate: ({ spec }, old) => immutable(spec?.controller, old.spec?.controller, "spec.controller"),
};

const longestController = 250;

/** A name below a domain. */
function controllerProblems(controller: string, path: string): Cause[] {
	if (controller === "") return requiredText(controller, path);
	const causes = controller.length > longestController ? [tooLongValue(path, longestController)] : [];
	const cut = controller.indexOf("/");
	if (cut < 1 || cut === controller.length - 1)
		return [...causes, invalidValue(path, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
	const domain = controller.slice(0, cut);
	return [...causes, ...invalidEach(path, domain, dnsSubdomainProblems(domain))];
}
