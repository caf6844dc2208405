import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Ingress } from "../generated/types.ts";
import { ingressProblems, ingressStatusProblems } from "./ingress-validate.ts";

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
	validate: ingressProblems,
	validateStatusUpdate: ingressStatusProblems,
};

function hostsText({ spec }: Ingress): string {
	const hosts = [...new Set((spec?.rules ?? []).map(({ host }) => host ?? "").filter((host) => host !== ""))];
	if (hosts.length === 0) return "*";
	return hosts.length > 3 ? `${hosts.slice(0, 3).join(",")} + ${hosts.length - 3} more...` : hosts.join(",");
}
