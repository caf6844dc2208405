import { cidrContains, parseCidr } from "../../core/addresses.ts";
import type { Cause } from "../../core/errors.ts";
import { cidr, oneOf, portNumber, requiredText } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, required } from "../../core/validation/field-errors.ts";
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
	validate: ({ spec }) => [
		...validateLabelSelector(spec.podSelector, "spec.podSelector"),
		...(spec.ingress ?? []).flatMap(({ from, ports }, index) => rule(from, ports, `spec.ingress[${index}]`, "from")),
		...(spec.egress ?? []).flatMap(({ to, ports }, index) => rule(to, ports, `spec.egress[${index}]`, "to")),
		...(spec.policyTypes ?? []).flatMap((type, index) =>
			oneOf(type, ["Egress", "Ingress"], `spec.policyTypes[${index}]`),
		),
	],
};

function rule(
	peers: readonly NetworkPolicyPeer[] | undefined,
	ports: readonly NetworkPolicyPort[] | undefined,
	path: string,
	side: "from" | "to",
): Cause[] {
	const causes: Cause[] = [];
	for (const [index, { podSelector, namespaceSelector, ipBlock }] of (peers ?? []).entries()) {
		const at = `${path}.${side}[${index}]`;
		const selects = podSelector !== undefined || namespaceSelector !== undefined;
		if (!selects && ipBlock === undefined) causes.push(required(at, "must specify a peer"));
		else if (selects && ipBlock !== undefined)
			causes.push(forbidden(at, "may not specify both ipBlock and another peer"));
		causes.push(...validateLabelSelector(podSelector, `${at}.podSelector`));
		causes.push(...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`));
		if (ipBlock !== undefined) causes.push(...blockProblems(ipBlock, `${at}.ipBlock`));
	}
	for (const [index, { port, endPort, protocol }] of (ports ?? []).entries()) {
		const at = `${path}.ports[${index}]`;
		causes.push(...oneOf(protocol, ["SCTP", "TCP", "UDP"], `${at}.protocol`));
		if (typeof port === "number") causes.push(...portNumber(port, `${at}.port`));
		else if (port !== undefined) causes.push(...invalidEach(`${at}.port`, port, portNameProblems(port)));
		if (endPort !== undefined) causes.push(...endPortProblems(endPort, port, `${at}.endPort`));
	}
	return causes;
}

/** Exceptions of a block must be within it. */
function blockProblems({ cidr: block, except = [] }: IPBlock, at: string): Cause[] {
	if ((block ?? "") === "") return requiredText(block, `${at}.cidr`);
	const causes = cidr(block, `${at}.cidr`);
	const outer = parseCidr(block);
	for (const [index, text] of except.entries()) {
		causes.push(...cidr(text, `${at}.except[${index}]`));
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
