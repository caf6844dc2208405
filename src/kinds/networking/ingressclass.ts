import type { Cause } from "../../core/errors.ts";
import { immutable, requiredText } from "../../core/validation/field-checks.ts";
import {
	forbidden,
	invalidEach,
	invalidValue,
	notSupported,
	required,
	tooLongValue,
} from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { IngressClass, IngressClassParametersReference } from "../generated/types.ts";
import { referenceProblems } from "./ingress-validate.ts";

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
	validate: ({ spec }) => [
		...controllerProblems(spec?.controller ?? "", "spec.controller"),
		...parametersProblems(spec?.parameters, "spec.parameters"),
	],
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
	const [domain, rest] = [controller.slice(0, cut), controller.slice(cut + 1)];
	causes.push(...invalidEach(path, domain, dnsSubdomainProblems(domain)));
	if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest))
		causes.push(invalidValue(path, rest, `Invalid path (regex used for validation is '${httpPath}')`));
	return causes;
}

/** As upstream writes what a path of HTTP consists of (RFC 3986). */
const httpPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const scopes = ["Cluster", "Namespace"];

function parametersProblems(parameters: IngressClassParametersReference | undefined, at: string): Cause[] {
	if (parameters === undefined) return [];
	const { scope, namespace } = parameters;
	const causes = referenceProblems(parameters, at);
	if (scope === undefined) causes.push(required(`${at}.scope`));
	else if (!scopes.includes(scope)) causes.push(notSupported(`${at}.scope`, scope, scopes));
	else if (scope === "Cluster" && namespace !== undefined)
		causes.push(forbidden(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'"));
	else if (scope === "Namespace" && namespace === undefined)
		causes.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"));
	else if (namespace !== undefined)
		causes.push(...invalidEach(`${at}.namespace`, namespace, dnsLabelProblems(namespace)));
	return causes;
}
