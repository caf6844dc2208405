import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { cidr } from "../../core/validation/field-checks.ts";
import { invalidValue, required, tooMany } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ServiceCIDR } from "../generated/types.ts";

/** A range from which services get their addresses. */
export const serviceCIDRs: Kind<ServiceCIDR> = {
	group: "networking.k8s.io",
	version: "v1",
	kind: "ServiceCIDR",
	plural: "servicecidrs",
	singular: "servicecidr",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "ServiceCIDR",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [nameColumn, column("CIDRs", "The ranges.", ({ spec }) => (spec?.cidrs ?? []).join(",")), ageColumn],

	prepareForCreate(range) {
		delete range.status;
	},
	validate({ spec }) {
		const cidrs = spec?.cidrs ?? [];
		const causes: Cause[] = cidrs.flatMap((range, index) => cidr(range, `spec.cidrs[${index}]`));
		if (cidrs.length === 0) causes.push(required("spec.cidrs", "at least one CIDR required"));
		if (cidrs.length > 2) causes.push(tooMany("spec.cidrs", cidrs.length, 2));
		if (cidrs.length === 2 && cidrs[0]?.includes(":") === cidrs[1]?.includes(":"))
			causes.push(
				invalidValue(
					"spec.cidrs",
					cidrs,
					"may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
				),
			);
		return causes;
	},
	/** Only a second range of the other family may be added. */
	validateUpdate({ spec }, old) {
		const [now, before] = [spec?.cidrs ?? [], old.spec?.cidrs ?? []];
		const added = before.length === 1 && now.length === 2 && now[0] === before[0];
		return added || semanticEqual(now, before) ? [] : [invalidValue("spec.cidrs", now, "field is immutable")];
	},
};
