/** Validates a pod spec, of a pod or of a template (API reference, "PodSpec"). */
import type { Cause } from "../../../core/errors.ts";
import { ipAddress, oneOf, requiredOneOf, subdomainName } from "../../../core/validation/field-checks.ts";
import {
	forbidden,
	invalidEach,
	invalidValue,
	notSupported,
	required,
	tooMany,
} from "../../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems, searchDomainProblems } from "../../../core/validation/names.ts";
import type { PodSpec } from "../../generated/types.ts";
import { podClaimProblems } from "./claims.ts";
import { validateContainers } from "./containers.ts";
import { validateResources } from "./resource-requirements.ts";
import { validateScheduling } from "./scheduling.ts";
import { validatePodSecurityContext } from "./security.ts";
import { validateVolumes } from "./volumes.ts";

const dnsPolicies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

/** The spec already has its defaults. */
export function validatePodSpec(spec: PodSpec | undefined, path: string): Cause[] {
	if (spec === undefined) return [required(`${path}.containers`)];
	const host = { network: spec.hostNetwork === true, ipc: spec.hostIPC === true };
	return [
		...validateVolumes(spec.volumes, `${path}.volumes`),
		...validateContainers(spec, path),
		...requiredOneOf(spec.restartPolicy, ["Always", "Never", "OnFailure"], `${path}.restartPolicy`),
		...requiredOneOf(spec.dnsPolicy, dnsPolicies, `${path}.dnsPolicy`),
		...names(spec, path),
		...validateScheduling(spec, path),
		...validatePodSecurityContext(spec.securityContext, host, `${path}.securityContext`),
		...dns(spec, path),
		...hostAliases(spec, path),
		...validateResources(spec.resources, `${path}.resources`, "pod"),
		...podClaimProblems(spec.resourceClaims, `${path}.resourceClaims`),
		...lifetime(spec, path),
		...stopSignals(spec, path),
		...sharing(spec, path),
	];
}

function names(spec: PodSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const field of ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] as const)
		if (spec[field]) causes.push(...subdomainName(spec[field], `${path}.${field}`));
	for (const field of ["hostname", "subdomain"] as const) {
		const value = spec[field];
		if (value) causes.push(...invalidEach(`${path}.${field}`, value, dnsLabelProblems(value)));
	}
	const override = spec.hostnameOverride;
	if (override) causes.push(...invalidEach(`${path}.hostnameOverride`, override, dnsSubdomainProblems(override)));
	if (spec.os !== undefined) causes.push(...requiredOneOf(spec.os.name, ["linux", "windows"], `${path}.os.name`));
	return [...causes, ...oneOf(spec.preemptionPolicy, ["Never", "PreemptLowerPriority"], `${path}.preemptionPolicy`)];
}

function dns(spec: PodSpec, path: string): Cause[] {
	const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
	const causes: Cause[] = [];
	const at = `${path}.dnsConfig`;
	if (spec.dnsPolicy === "None" && spec.dnsConfig === undefined)
		causes.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is "None"'));
	else if (spec.dnsPolicy === "None" && nameservers.length === 0)
		causes.push(required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is "None"'));
	if (nameservers.length > 3)
		causes.push(invalidValue(`${at}.nameservers`, nameservers, "must not have more than 3 nameservers"));
	for (const [index, address] of nameservers.entries())
		causes.push(...ipAddress(address, `${at}.nameservers[${index}]`));
	if (searches.length > 32)
		causes.push(invalidValue(`${at}.searches`, searches, "must not have more than 32 search paths"));
	if (searches.join(" ").length > 2048)
		causes.push(
			invalidValue(
				`${at}.searches`,
				searches,
				"must not have more than 2048 characters (including spaces) in the search list",
			),
		);
	for (const [index, search] of searches.entries())
		if (search !== ".") {
			const name = search.replace(/\.$/, "");
			causes.push(...invalidEach(`${at}.searches[${index}]`, search, searchDomainProblems(name)));
		}
	for (const [index, { name }] of options.entries())
		if (!name) causes.push(required(`${at}.options[${index}]`, "must not be empty"));
	return causes;
}

function hostAliases(spec: PodSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
		causes.push(...ipAddress(ip, `${path}.hostAliases[${index}].ip`));
		for (const name of hostnames ?? [])
			causes.push(...invalidEach(`${path}.hostAliases[${index}].hostnames`, name, dnsSubdomainProblems(name)));
	}
	return causes;
}

function lifetime(spec: PodSpec, path: string): Cause[] {
	const seconds = spec.activeDeadlineSeconds;
	if (seconds === undefined || (seconds >= 1 && seconds <= 2 ** 31 - 1)) return [];
	return [invalidValue(`${path}.activeDeadlineSeconds`, seconds, "must be between 1 and 2147483647, inclusive")];
}

/** Valid stop signals depend on the operating system, so the pod has to specify it. */
function stopSignals(spec: PodSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const field of ["initContainers", "containers"] as const)
		for (const [index, { lifecycle }] of (spec[field] ?? []).entries()) {
			const at = `${path}.${field}[${index}].lifecycle.stopSignal`;
			const signal = lifecycle?.stopSignal;
			if (signal === undefined) continue;
			if (!spec.os?.name) causes.push(forbidden(at, "may not be set for containers with empty `spec.os.name`"));
			else if (!/^SIG[A-Z0-9+-]+$/.test(signal)) causes.push(notSupported(at, signal, ["SIGKILL", "SIGTERM"]));
		}
	return causes;
}

function sharing(spec: PodSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	if (spec.shareProcessNamespace && spec.hostPID)
		causes.push(
			invalidValue(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"),
		);
	if (spec.hostUsers === false) {
		for (const field of ["hostPID", "hostIPC"] as const)
			if (spec[field]) causes.push(forbidden(`${path}.${field}`, "when `hostUsers` is false"));
	}
	if (spec.setHostnameAsFQDN && spec.hostnameOverride)
		causes.push(forbidden(`${path}.setHostnameAsFQDN`, "may not be true when `hostnameOverride` is set"));
	if (spec.hostNetwork && spec.hostnameOverride)
		causes.push(forbidden(`${path}.hostnameOverride`, "may not be set when `hostNetwork` is true"));
	const gates = spec.readinessGates ?? [];
	if (gates.length > 1000) causes.push(tooMany(`${path}.readinessGates`, gates.length, 1000));
	return causes;
}
