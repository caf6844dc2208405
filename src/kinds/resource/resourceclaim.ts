import { semanticEqual } from "../../core/equal.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ResourceResourceClaim as ResourceClaim } from "../generated/types.ts";
import { identityOf, statusProblems } from "./claim-status.ts";
import { claimProblems, setClaimDefaults } from "./device-claim.ts";

/** Devices that pods ask for, and those that they got. */
export const resourceClaims: Kind<ResourceClaim> = {
	group: "resource.k8s.io",
	version: "v1",
	kind: "ResourceClaim",
	plural: "resourceclaims",
	singular: "resourceclaim",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "ResourceResourceClaim",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [nameColumn, column("State", "Whether devices are allocated, and pods use them.", stateOf), ageColumn],

	setDefaults({ spec }) {
		setClaimDefaults(spec.devices ?? {});
	},
	prepareForCreate(claim) {
		claim.status = {};
	},
	prepareForStatusUpdate(claim, old) {
		dropDeallocated(claim, old);
	},
	validate({ spec }, old) {
		// The spec cannot change, and was valid once.
		return semanticEqual(spec, old?.spec) ? [] : claimProblems(spec.devices ?? {}, "spec.devices");
	},
	validateUpdate: ({ spec }, old) => immutable(spec, old.spec, "spec"),
	validateStatusUpdate: statusProblems,
};

function stateOf({ metadata, status }: ResourceClaim): string {
	const states: string[] = [];
	if (metadata.deletionTimestamp !== undefined) states.push("deleted");
	if (status?.allocation === undefined) return [...states, ...(states.length === 0 ? ["pending"] : [])].join(",");
	states.push("allocated");
	if (status.reservedFor?.length) states.push("reserved");
	return states.join(",");
}

/** What drivers said of a device goes when the device is no longer allocated. */
function dropDeallocated(claim: ResourceClaim, old: ResourceClaim): void {
	const { status } = claim;
	if (status?.devices === undefined) return;
	const identities = ({ status: of }: ResourceClaim) => new Set(of?.allocation?.devices?.results?.map(identityOf));
	const [before, now] = [identities(old), identities(claim)];
	const kept = status.devices.filter((device) => !before.has(identityOf(device)) || now.has(identityOf(device)));
	if (kept.length > 0) status.devices = kept;
	else delete status.devices;
}
