import type { Cause } from "../../core/errors.ts";
import { immutable, isIPv4, isIPv6, requiredText } from "../../core/validation/field-checks.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
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
		const causes: Cause[] = [];
		if (!isCanonical(metadata.name))
			causes.push(invalidValue("metadata.name", metadata.name, "must be a valid IP address in canonical form"));
		const parent = parentOf(spec);
		if (spec?.parentRef === undefined) return [...causes, required("spec.parentRef")];
		return [
			...causes,
			...requiredText(parent.resource, "spec.parentRef.resource"),
			...requiredText(parent.name, "spec.parentRef.name"),
		];
	},
	validateUpdate: ({ spec }, old) => immutable(spec?.parentRef, old.spec?.parentRef, "spec.parentRef"),
};

function isCanonical(text: string): boolean {
	if (isIPv4(text)) return true;
	return isIPv6(text) && new URL(`http://[${text}]`).hostname === `[${text}]`;
}

/** Clients may omit fields that the type requires; validation then reports them. */
function parentOf(spec: Partial<IPAddress["spec"]> | undefined): Partial<IPAddress["spec"]["parentRef"]> {
	return spec?.parentRef ?? {};
}
