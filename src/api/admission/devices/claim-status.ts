/**
 * Who may write which part of a claim's status, besides having the right to write the status: who allocates and reserves
 * needs `resourceclaims/binding`, a driver that reports on its devices `resourceclaims/driver` (Kubernetes
 * documentation, "Dynamic Resource Allocation", "Granular status authorization").
 */
import { semanticEqual } from "../../../core/equal.ts";
import { invalid } from "../../../core/errors.ts";
import type { User } from "../../../core/exchange.ts";
import { forbidden } from "../../../core/validation/field-errors.ts";
import type { AllocationResult, ResourceClaimStatus, ResourceResourceClaim } from "../../../kinds/generated/types.ts";
import { identityOf } from "../../../kinds/resource/claim-status.ts";
import { resourceClaims } from "../../../kinds/resource/resourceclaim.ts";
import type { AdmissionStep } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

export const claimStatusRights: AdmissionStep = {
	name: "ResourceClaimStatusRights",
	on: { operations: ["update"], kinds: [resourceClaims], subresources: true },
	admit(request) {
		if (request.subresource !== "status") return undefined;
		// Steps see the kinds that they ask for.
		const [status = {}, old = {}] = [request.object, request.old].map(
			(claim) => (claim as ResourceResourceClaim).status,
		);
		const binds =
			!semanticEqual(status.allocation, old.allocation) || !semanticEqual(status.reservedFor, old.reservedFor);
		const drivers = changedDrivers(status, old);
		return binds || drivers.length > 0 ? demand(request, binds, drivers, status.allocation) : undefined;
	},
};

/** Drivers whose devices have a changed status. The status of a device is removed with its allocation. */
function changedDrivers(
	{ devices = [], allocation }: ResourceClaimStatus,
	{ devices: before = [] }: ResourceClaimStatus,
): string[] {
	const known = new Map(before.map((device) => [identityOf(device), device]));
	const drivers = new Set<string>();
	for (const device of devices) {
		const id = identityOf(device);
		if (!semanticEqual(device, known.get(id))) drivers.add(device.driver);
		known.delete(id);
	}
	const allocated = new Set(allocation?.devices?.results?.map(identityOf));
	for (const [id, { driver }] of known) if (allocated.has(id)) drivers.add(driver);
	return [...drivers].sort();
}

/** @throws ApiError Invalid, in the promise */
async function demand(
	request: AdmissionAttributes,
	binds: boolean,
	drivers: readonly string[],
	allocation: AllocationResult | undefined,
): Promise<void> {
	const { user, namespace = "", verb } = request;
	const may = async (asked: string, part: { namespace: string; subresource: string; name: string }) => {
		const { group, version, plural } = resourceClaims;
		const resource = { group, version, plural, ...part };
		return (await request.server.authorizer.authorize({ user, verb: asked, path: "", resource })).verdict === "allow";
	};
	if (binds && !(await may(verb, { namespace: "", subresource: "binding", name: "" }))) {
		const what = "changing status.allocation or status.reservedFor";
		throw refusal(request, "status", `${what} requires resource="resourceclaims/binding", verb="${verb}" permission`);
	}
	const verbs = [...(isOnNodeOf(user, allocation) ? [`associated-node:${verb}`] : []), `arbitrary-node:${verb}`];
	for (const name of drivers) {
		const part = { namespace, subresource: "driver", name };
		let isAllowed = false;
		for (const asked of verbs) isAllowed ||= await may(asked, part);
		if (!isAllowed) {
			const needed = `resource="resourceclaims/driver", verb="[${verbs.join(" ")}]"`;
			throw refusal(request, "status.devices", `changing status.devices requires ${needed} permission`);
		}
	}
}

function refusal({ kind, name, user }: AdmissionAttributes, path: string, why: string) {
	return invalid(kind, name, [forbidden(path, `${why} of user ${JSON.stringify(user.name)}`)]);
}

/** Whether a service account's token is bound to the one node that the devices are on. */
function isOnNodeOf({ name, extra }: User, allocation: AllocationResult | undefined): boolean {
	const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
	const [field, ...more] = terms[0]?.matchFields ?? [];
	if (terms.length !== 1 || field === undefined || more.length > 0 || terms[0]?.matchExpressions?.length) return false;
	const nodes = extra?.["authentication.kubernetes.io/node-name"] ?? [];
	return (
		name.startsWith("system:serviceaccount:") &&
		nodes.length === 1 &&
		field.key === "metadata.name" &&
		field.operator === "In" &&
		field.values?.length === 1 &&
		field.values[0] === nodes[0]
	);
}
