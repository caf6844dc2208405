/** Only in labeled namespaces may claims request devices that other claims use (`adminAccess`). */
import { invalid } from "../../../core/errors.ts";
import { forbidden } from "../../../core/validation/field-errors.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import type { DeviceClaim, ResourceClaimTemplate, ResourceResourceClaim } from "../../../kinds/generated/types.ts";
import { resourceClaims } from "../../../kinds/resource/resourceclaim.ts";
import { resourceClaimTemplates } from "../../../kinds/resource/resourceclaimtemplate.ts";
import type { AdmissionStep } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

const label = "resource.kubernetes.io/admin-access";

export const deviceAdminAccess: AdmissionStep = {
	name: "DeviceAdminAccess",
	on: { operations: ["create", "update"], kinds: [resourceClaims, resourceClaimTemplates], subresources: true },
	admit(request) {
		const path = request.operation === "create" ? requestedBy(request) : grantedBy(request);
		if (path === undefined) return;
		const found = request.server.cache.find(namespaces, undefined, request.namespace ?? "");
		if (found?.metadata.labels?.[label] === "true") return;
		const needed = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
		throw invalid(request.kind, request.name, [forbidden(path, needed)]);
	},
};

/** The field that asks for it; a spec never changes. */
function requestedBy({ kind, object }: AdmissionAttributes): string | undefined {
	// Steps see the kinds that they ask for.
	const claim: Partial<DeviceClaim> | undefined =
		kind.plural === resourceClaims.plural
			? (object as ResourceResourceClaim).spec.devices
			: (object as ResourceClaimTemplate).spec.spec?.devices;
	const index = claim?.requests?.findIndex(({ exactly }) => exactly?.adminAccess === true) ?? -1;
	return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`;
}

function grantedBy({ kind, object, old, subresource }: AdmissionAttributes): string | undefined {
	if (kind.plural !== resourceClaims.plural || subresource !== "status") return undefined;
	const indexIn = (claim: ResourceResourceClaim) =>
		claim.status?.allocation?.devices?.results?.findIndex(({ adminAccess }) => adminAccess === true) ?? -1;
	// An allocation never changes, either.
	if (indexIn(old as ResourceResourceClaim) >= 0) return undefined;
	const index = indexIn(object as ResourceResourceClaim);
	return index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`;
}
