import { ageColumn, column, nameColumn, selectorText } from "../columns.ts";
import type { NetworkPolicy } from "../generated/types.ts";
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
	validate: ({ spec }) => validateLabelSelector(spec.podSelector, "spec.podSelector"),
	warnings: () => ["NetworkPolicy is stored, and not enforced by this cluster's network"],
};
