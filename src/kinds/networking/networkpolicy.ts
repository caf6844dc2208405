import { cidrContains, parseCidr } from "../../core/addresses.ts";
import type { Cause } from "../../core/errors.ts";
import { cidr, portNumber, requiredText } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { portNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn, selectorText } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";

export const networkPolicies: Kind<NetworkPolicy> = {
	group: "networking.k8s.io",
	version: "v1",
	kind: "NetworkPolicy",
	plural: "networkpolicies",
	singular: "networkpolicy",
	shortNames: ["netpol"],
	categories: [],
	namespaced: true,
	schema: "NetworkPolicy",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Pod-Selector", "Pods that the policy is about.", ({ spec }) => selectorText(spec?.podSelector)),
		ageColumn,
	],

	setDefaults(policy) {
		policy.spec ??= {};
		policy.spec.podSelector ??= {};
		policy.spec.policyTypes ??= policy.spec.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"];
		for (const rule of [...(policy.spec.ingress ?? []), ...(policy.spec.egress ?? [])])
			for (const port of rule.ports ?? []) port.protocol ??= "TCP";
	},
	validate({ spec }, old) {
		const known = rangesOf(old);
		const { podSelector, ingress = [], egress = [], policyTypes = [] } = spec;
		return [
			...validateLabelSelector(podSelector, "spec.podSelector"),
			...ingress.flatMap((rule, index) => ruleProblems(rule.from, rule.ports, `spec.ingress[${index}]`, "from", known)),
			...egress.flatMap((rule, index) => ruleProblems(rule.to, rule.ports, `spec.egress[${index}]`, "to", known)),
			...typeProblems(policyTypes, "spec.policyTypes"),
		];
	},
};

const policyTypeNames = ["Ingress", "Egress"];

function typeProblems(types: readonly string[], path: string): Cause[] {
	if (types.length > policyTypeNames.length)
		return [invalidValue(path, types, "may not specify more than two policyTypes")];
	return types.flatMap((type, index) =>
		policyTypeNames.includes(type) ? [] : [notSupported(`${path}[${index}]`, type, policyTypeNames)],
	);
}

/** Ranges of a stored policy, which may stay, however they are written. */
function rangesOf(policy: NetworkPolicy | undefined): ReadonlySet<string> {
	const { ingress = [], egress = [] } = policy?.spec ?? {};
	const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
	return new Set(peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : [])));
}

function ruleProblems(
	peers: readonly NetworkPolicyPeer[] | undefined,
	ports: readonly NetworkPolicyPort[] | undefined,
	path: string,
	side: "from" | "to",
	known: ReadonlySet<string>,
): Cause[] {
	const causes = (ports ?? []).flatMap((port, index) => portProblems(port, `${path}.ports[${index}]`));
	for (const [index, { podSelector, namespaceSelector, ipBlock }] of (peers ?? []).entries()) {
		const at = `${path}.${side}[${index}]`;
		const selects = podSelector !== undefined || namespaceSelector !== undefined;
		causes.push(...validateLabelSelector(podSelector, `${at}.podSelector`));
		causes.push(...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`));
		if (ipBlock !== undefined) causes.push(...blockProblems(ipBlock, `${at}.ipBlock`, known));
		if (!selects && ipBlock === undefined) causes.push(required(at, "must specify a peer"));
		else if (selects && ipBlock !== undefined)
			causes.push(forbidden(at, "may not specify both ipBlock and another peer"));
	}
	return causes;
}

const protocols = ["TCP", "UDP", "SCTP"];

function portProblems({ port, endPort, protocol }: NetworkPolicyPort, at: string): Cause[] {
	const causes: Cause[] = [];
	if (protocol !== undefined && !protocols.includes(protocol))
		causes.push(notSupported(`${at}.protocol`, protocol, protocols));
	if (typeof port === "number") causes.push(...portNumber(port, `${at}.port`));
	if (endPort !== undefined) causes.push(...endPortProblems(endPort, port, `${at}.endPort`));
	if (typeof port === "string") causes.push(...invalidEach(`${at}.port`, port, portNameProblems(port)));
	return causes;
}

/** Exceptions of a block must be within it. */
function blockProblems({ cidr: block, except = [] }: IPBlock, at: string, known: ReadonlySet<string>): Cause[] {
	if ((block ?? "") === "") return requiredText(block, `${at}.cidr`);
	const causes = known.has(block) ? [] : cidr(block, `${at}.cidr`);
	const outer = parseCidr(block);
	for (const [index, text] of except.entries()) {
		if (!known.has(text)) causes.push(...cidr(text, `${at}.except[${index}]`));
		const inner = parseCidr(text);
		if (outer === undefined || inner === undefined) continue;
		if (!cidrContains(outer, inner.base) || inner.bits <= outer.bits)
			causes.push(invalidValue(`${at}.except[${index}]`, text, "must be a strict subset of `cidr`"));
	}
	return causes;
}

function endPortProblems(endPort: number, port: NetworkPolicyPort["port"], at: string): Cause[] {
	if (port === undefined) return [invalidValue(at, endPort, "may not be specified when `port` is not specified")];
	if (typeof port === "string") return [invalidValue(at, endPort, "may not be specified when `port` is non-numeric")];
	const causes = endPort < port ? [invalidValue(at, endPort, "must be greater than or equal to `port`")] : [];
	return causes.concat(portNumber(endPort, at));
}
