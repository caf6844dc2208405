import type { Cause } from "../../core/errors.ts";
import { requiredOneOf, requiredText } from "../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { HTTPIngressPath, Ingress, IngressBackend } from "../generated/types.ts";

export const ingresses: Kind<Ingress> = {
	group: "networking.k8s.io",
	version: "v1",
	kind: "Ingress",
	plural: "ingresses",
	singular: "ingress",
	shortNames: ["ing"],
	categories: [],
	namespaced: true,
	schema: "Ingress",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Class", "Class of the ingress.", ({ spec }) => spec?.ingressClassName ?? "<none>"),
		column("Hosts", "Hosts that requests are for.", hostsText),
		column("Address", "Addresses of the load balancer.", ({ status }) =>
			(status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").join(","),
		),
		column("Ports", "Ports that are open.", ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80")),
		ageColumn,
	],

	setDefaults(ingress) {
		ingress.spec ??= {};
	},
	prepareForCreate(ingress) {
		ingress.status = { loadBalancer: {} };
	},
	prepareForUpdate(ingress, old) {
		ingress.status = old.status ?? { loadBalancer: {} };
	},
	validate({ spec }) {
		const causes: Cause[] = [];
		if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined)
			causes.push(invalidValue("spec", [], "either `defaultBackend` or `rules` must be specified"));
		if (spec.defaultBackend !== undefined) causes.push(...backend(spec.defaultBackend, "spec.defaultBackend"));
		for (const [index, { host, http }] of (spec.rules ?? []).entries()) {
			const at = `spec.rules[${index}]`;
			if (host) causes.push(...hostProblems(host, `${at}.host`));
			for (const [position, path] of (http?.paths ?? []).entries())
				causes.push(...pathProblems(path, `${at}.http.paths[${position}]`));
		}
		return causes;
	},
};

/** A domain, optionally with a wildcard as its first label. */
function hostProblems(host: string, path: string): Cause[] {
	if (!host.includes("*")) return invalidEach(path, host, dnsSubdomainProblems(host));
	if (host.startsWith("*.") && dnsSubdomainProblems(host.slice(2)).length === 0) return [];
	const rule =
		"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case " +
		"alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for " +
		"validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
	return [invalidValue(path, host, rule)];
}

function hostsText({ spec }: Ingress): string {
	const hosts = [...new Set((spec?.rules ?? []).map(({ host }) => host ?? "").filter((host) => host !== ""))];
	if (hosts.length === 0) return "*";
	return hosts.length > 3 ? `${hosts.slice(0, 3).join(",")} + ${hosts.length - 3} more...` : hosts.join(",");
}

function backend(value: IngressBackend | undefined, at: string): Cause[] {
	if (value === undefined) return [required(at)];
	if (value.service !== undefined && value.resource !== undefined)
		return [invalidValue(at, "", "cannot set both resource and service backends")];
	if (value.resource !== undefined) return requiredText(value.resource.name, `${at}.resource.name`);
	if (value.service === undefined) return [required(at, "resource or service backend is required")];
	const { name, port } = value.service;
	const causes = name
		? invalidEach(`${at}.service.name`, name, dnsLabelProblems(name))
		: requiredText(name, `${at}.service.name`);
	if (port?.name && port.number)
		causes.push(invalidValue(`${at}.service.port`, port, "cannot set both port name & port number"));
	else if (!port?.name && !port?.number) causes.push(required(`${at}.service.port`, "port name or number is required"));
	return causes;
}

function pathProblems({ path = "", pathType, backend: target }: HTTPIngressPath, at: string): Cause[] {
	const causes = requiredOneOf(pathType, ["Exact", "ImplementationSpecific", "Prefix"], `${at}.pathType`);
	if (pathType !== "ImplementationSpecific" && !path.startsWith("/"))
		causes.push(invalidValue(`${at}.path`, path, "must be an absolute path"));
	return [...causes, ...backend(target, `${at}.backend`)];
}
