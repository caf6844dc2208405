import { nonNegative, positive } from "../../core/validation/field-checks.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Lease } from "../generated/types.ts";

export const leases: Kind<Lease> = {
	group: "coordination.k8s.io",
	version: "v1",
	kind: "Lease",
	plural: "leases",
	singular: "lease",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "Lease",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [nameColumn, column("Holder", "Who holds the lease.", ({ spec }) => spec?.holderIdentity ?? ""), ageColumn],

	setDefaults(lease) {
		lease.spec ??= {};
	},
	prepareForCreate: dropStrategy,
	prepareForUpdate: dropStrategy,
	validate: ({ spec }) => [
		...positive(spec?.leaseDurationSeconds, "spec.leaseDurationSeconds"),
		...nonNegative(spec?.leaseTransitions, "spec.leaseTransitions"),
	],
};

/** Leaders that are chosen by the API server are a feature that is off, as upstream's is. */
function dropStrategy({ spec }: Lease): void {
	delete spec?.strategy;
	delete spec?.preferredHolder;
}
