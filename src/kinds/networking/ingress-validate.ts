/** What is wrong with an Ingress, in upstream's order and words. */
import type { Cause } from "../../core/errors.ts";
import {
	ipAddress,
	isIPv4,
	isIPv6,
	pathSegment,
	portNumber,
	requiredText,
} from "../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems, portNameProblems } from "../../core/validation/names.ts";
import type {
	HTTPIngressPath,
	HTTPIngressRuleValue,
	Ingress,
	IngressBackend,
	IngressServiceBackend,
	IngressTLS,
	TypedLocalObjectReference,
} from "../generated/types.ts";

const classAnnotation = "kubernetes.io/ingress.class";

/** @param old before an update: names of secrets, and rules of wildcard hosts, may be wrong still */
export function ingressProblems({ metadata, spec }: Ingress, old?: Ingress): Cause[] {
	const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
	const causes: Cause[] = [];
	if (rules.length === 0 && defaultBackend === undefined)
		causes.push(invalidValue("spec", rules, "either `defaultBackend` or `rules` must be specified"));
	if (defaultBackend !== undefined) causes.push(...backendProblems(defaultBackend, "spec.defaultBackend"));
	const keepsWildcards = (old?.spec.rules ?? []).some(
		({ host, http }) => host?.includes("*") && httpProblems(http, "").length > 0,
	);
	for (const [index, { host = "", http }] of rules.entries()) {
		const at = `spec.rules[${index}]`;
		if (isAddress(host)) causes.push(invalidValue(`${at}.host`, host, notAnAddress));
		if (host !== "") causes.push(...hostProblems(host, `${at}.host`));
		if (!host.includes("*") || !keepsWildcards) causes.push(...httpProblems(http, `${at}.http`));
	}
	const keepsSecretNames = (old?.spec.tls ?? []).some((one) => secretNameProblems(one).length > 0);
	for (const [index, one] of tls.entries()) {
		const at = `spec.tls[${index}]`;
		for (const [position, host] of (one.hosts ?? []).entries())
			causes.push(...hostProblems(host, `${at}.hosts[${position}]`));
		if (!keepsSecretNames) causes.push(...invalidEach(`${at}.secretName`, one.secretName, secretNameProblems(one)));
	}
	if (ingressClassName !== undefined)
		causes.push(...invalidEach("spec.ingressClassName", ingressClassName, dnsSubdomainProblems(ingressClassName)));
	const named = metadata.annotations?.[classAnnotation];
	if (old === undefined && named !== undefined && ingressClassName !== undefined && named !== ingressClassName) {
		const why = "must match `ingressClassName` when both are specified";
		causes.push(invalidValue(`annotations.${classAnnotation}`, named, why));
	}
	return causes;
}

export function ingressStatusProblems({ status }: Ingress, old: Ingress): Cause[] {
	const before = new Set((old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
	return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "", hostname = "" }, index) => {
		const at = `status.loadBalancer.ingress[${index}]`;
		const causes = ip === "" || before.has(ip) ? [] : ipAddress(ip, `${at}.ip`);
		if (hostname === "") return causes;
		causes.push(...invalidEach(`${at}.hostname`, hostname, dnsSubdomainProblems(hostname)));
		return isAddress(hostname) ? [...causes, invalidValue(`${at}.hostname`, hostname, notAnAddress)] : causes;
	});
}

const notAnAddress = "must be a DNS name, not an IP address";

function isAddress(text: string): boolean {
	return isIPv4(text) || isIPv6(text);
}

function secretNameProblems({ secretName = "" }: IngressTLS): string[] {
	return secretName === "" ? [] : dnsSubdomainProblems(secretName);
}

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

function httpProblems(http: HTTPIngressRuleValue | undefined, at: string): Cause[] {
	if (http === undefined) return [];
	const paths = http.paths ?? [];
	if (paths.length === 0) return [required(`${at}.paths`)];
	return paths.flatMap((path, index) => pathProblems(path, `${at}.paths[${index}]`));
}

const wrongSequences = ["//", "/./", "/../", "%2f", "%2F"];
const wrongEnds = ["/..", "/."];
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];

function pathProblems({ path = "", pathType, backend }: HTTPIngressPath, at: string): Cause[] {
	const where = `${at}.path`;
	if (!pathType) return [required(`${at}.pathType`, "pathType must be specified")];
	const causes: Cause[] = [];
	const isLoose = pathType === "ImplementationSpecific";
	if (!pathTypes.includes(pathType)) causes.push(notSupported(`${at}.pathType`, pathType, pathTypes));
	else if (!path.startsWith("/") && !(isLoose && path === ""))
		causes.push(invalidValue(where, path, "must be an absolute path"));
	if (pathType === "Exact" || pathType === "Prefix") {
		for (const part of wrongSequences)
			if (path.includes(part)) causes.push(invalidValue(where, path, `must not contain '${part}'`));
		for (const end of wrongEnds)
			if (path.endsWith(end)) causes.push(invalidValue(where, path, `cannot end with '${end}'`));
	}
	return causes.concat(backendProblems(backend ?? {}, `${at}.backend`));
}

function backendProblems({ service, resource }: IngressBackend, at: string): Cause[] {
	if (service !== undefined && resource !== undefined)
		return [invalidValue(at, "", "cannot set both resource and service backends")];
	if (resource !== undefined) return referenceProblems(resource, `${at}.resource`);
	if (service !== undefined) return serviceProblems(service, at);
	return [invalidValue(at, "", "resource or service backend is required")];
}

function serviceProblems({ name, port = {} }: IngressServiceBackend, at: string): Cause[] {
	const causes = name
		? invalidEach(`${at}.service.name`, name, dnsLabelProblems(name))
		: requiredText(name, `${at}.service.name`);
	if (port.name && port.number) causes.push(invalidValue(at, "", "cannot set both port name & port number"));
	else if (port.name) causes.push(...invalidEach(`${at}.service.port.name`, port.name, portNameProblems(port.name)));
	else if (port.number) causes.push(...portNumber(port.number, `${at}.service.port.number`));
	else causes.push(required(at, "port name or number is required"));
	return causes;
}

/** Of an object in the same namespace, or of one of a whole cluster. */
export function referenceProblems({ apiGroup, kind, name }: TypedLocalObjectReference, at: string): Cause[] {
	return [
		...(apiGroup === undefined ? [] : invalidEach(`${at}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup))),
		...pathSegment(kind, `${at}.kind`),
		...pathSegment(name, `${at}.name`),
	];
}
