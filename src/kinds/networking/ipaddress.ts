import { canonicalIp } from "../../core/validation/canonical-addresses.ts";
import { immutable, pathSegment } from "../../core/validation/field-checks.ts";
import { invalidEach, required } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { IPAddress } from "../generated/types.ts";

/**
 * An address in the service ranges that is in use, by a Service or by another client that created the object; its name
 * is the address.
 */
export const ipAddresses: Kind<IPAddress> = {
	group: "networking.k8s.io",
	version: "v1",
	kind: "IPAddress",
	plural: "ipaddresses",
	singular: "ipaddress",
	shortNames: ["ip"],
	categories: [],
	namespaced: false,
	schema: "IPAddress",
	subresources: {},
	hasGeneration: true,
	// IPv6 addresses have colons; `validate` checks the address.
	nameRule: "pathSegment",
	selectableFields: [],
	columns: [
		nameColumn,
		column("ParentRef", "Who has the address.", ({ spec }) => {
			const { group, resource, namespace, name } = parentOf(spec);
			return [group ? `${resource}.${group}` : resource, namespace, name].filter((part) => part).join("/");
		}),
		ageColumn,
	],

	validate({ metadata, spec }) {
		const causes = canonicalIp(metadata.name, "metadata.name");
		if (spec?.parentRef === undefined) return [...causes, required("spec.parentRef")];
		const { group, resource, name, namespace } = parentOf(spec);
		const at = "spec.parentRef";
		return [
			...causes,
			...(group ? invalidEach(`${at}.group`, group, dnsSubdomainProblems(group)) : []),
			...pathSegment(resource, `${at}.resource`),
			...pathSegment(name, `${at}.name`),
			...(namespace ? pathSegment(namespace, `${at}.namespace`) : []),
		];
	},
	validateUpdate: ({ spec }, old) => immutable(spec?.parentRef, old.spec?.parentRef, "spec.parentRef"),
};

/** Clients may omit fields that the type requires; validation then reports them. */
function parentOf(spec: Partial<IPAddress["spec"]> | undefined): Partial<IPAddress["spec"]["parentRef"]> {
	return spec?.parentRef ?? {};
}
