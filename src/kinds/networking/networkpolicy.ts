import type { Cause } from "../../core/errors.ts";
import { oneOf, portNumber, requiredText } from "../../core/field-checks.ts";
import { forbidden, invalidEach, required } from "../../core/field-errors.ts";
import { portNameProblems } from "../../core/names.ts";
import { ageColumn, column, nameColumn, selectorText } from "../columns.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";
import type { Kind } from "../kind.ts";
import { validateLabelSelector } from "../label-selector.ts";

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
	warnings: () => ["NetworkPolicy is stored, and not enforced by this cluster's network"],
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
		if (ipBlock !== undefined) causes.push(...requiredText(ipBlock.cidr, `${at}.ipBlock.cidr`));
	}
	for (const [index, { port, protocol }] of (ports ?? []).entries()) {
		const at = `${path}.ports[${index}]`;
		causes.push(...oneOf(protocol, ["SCTP", "TCP", "UDP"], `${at}.protocol`));
		if (typeof port === "number") causes.push(...portNumber(port, `${at}.port`));
		else if (port !== undefined) causes.push(...invalidEach(`${at}.port`, port, portNameProblems(port)));
	}
	return causes;
}
