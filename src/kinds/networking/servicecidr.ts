import type { Cause } from "../../core/errors.ts";
import { canonicalCidr } from "../../core/validation/canonical-addresses.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
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
	validate({ spec }, old) {
		const cidrs = spec?.cidrs ?? [];
		// What is there may stay; another second range is refused below.
		return old === undefined || isExtended(cidrs, old.spec?.cidrs ?? []) ? rangeProblems(cidrs) : [];
	},
	/** Only a second range of the other family may be added. */
	validateUpdate({ spec }, old) {
		const [now, before] = [spec?.cidrs ?? [], old.spec?.cidrs ?? []];
		if (now.length !== before.length && !isExtended(now, before)) return [invalidValue("spec.cidrs", now, immutable)];
		return before.flatMap((range, index) =>
			now[index] === range ? [] : [invalidValue(`spec.cidrs[${index}]`, now[index], immutable)],
		);
	},
};

const immutable = "field is immutable";

function isExtended(now: readonly string[], before: readonly string[]): boolean {
	return before.length === 1 && now.length === 2;
}

function rangeProblems(cidrs: readonly string[]): Cause[] {
	if (cidrs.length === 0) return [required("spec.cidrs", "at least one CIDR required")];
	if (cidrs.length > 2) return [invalidValue("spec.cidrs", { cidrs }, "may only hold up to 2 values")];
	const causes = cidrs.map((range, index) => canonicalCidr(range, `spec.cidrs[${index}]`));
	const [first = "", second = first] = cidrs;
	if (cidrs.length === 1 || first.includes(":") !== second.includes(":") || causes.every((list) => list.length > 0))
		return causes.flat();
	const why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
	return [...causes.flat(), invalidValue("spec.cidrs", cidrs, why)];
}
