import type { Cause } from "../../core/errors.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { invalidEach } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ClusterTrustBundle } from "../generated/types.ts";
import { signerNameProblems } from "./signer-name.ts";
import { trustBundleProblems } from "./trust-anchors.ts";

/** Certificates of authorities that pods may trust, of a signer or of anybody. */
export const clusterTrustBundles: Kind<ClusterTrustBundle> = {
	group: "certificates.k8s.io",
	version: "v1beta1",
	kind: "ClusterTrustBundle",
	plural: "clustertrustbundles",
	singular: "clustertrustbundle",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "ClusterTrustBundle",
	subresources: {},
	hasGeneration: false,
	// The names of a signer's bundles have colons; `validate` checks the rest.
	nameRule: "pathSegment",
	selectableFields: [{ path: "spec.signerName", value: ({ spec }) => spec.signerName ?? "" }],
	columns: [
		nameColumn,
		column("SignerName", "Whose anchors they are.", ({ spec }) => spec.signerName || "<none>"),
		ageColumn,
	],

	validate({ metadata, spec }, old) {
		const { signerName = "", trustBundle = "" } = spec;
		return [
			...nameCauses(metadata.name, signerName),
			...(signerName === "" ? [] : signerNameProblems(signerName, "spec.signerName")),
			...(trustBundle === old?.spec.trustBundle ? [] : trustBundleProblems(trustBundle, "spec.trustBundle")),
		];
	},
	validateUpdate: ({ spec }, old) => immutable(spec.signerName ?? "", old.spec.signerName ?? "", "spec.signerName"),
};

/** `example.com:serving:a` for the signer `example.com/serving`. */
function nameCauses(name: string, signerName: string): Cause[] {
	if (signerName === "") {
		const colon = `ClusterTrustBundle without signer name must not have ":" in its name`;
		return invalidEach("metadata.name", name, name.includes(":") ? [colon] : dnsSubdomainProblems(name));
	}
	const prefix = `${signerName.replaceAll("/", ":")}:`;
	const wrong = `ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`;
	const problems = name.startsWith(prefix) ? dnsSubdomainProblems(name.slice(prefix.length)) : [wrong];
	return invalidEach("metadata.name", name, problems);
}
