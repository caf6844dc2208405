/**
 * What a node's agent may write (Kubernetes documentation, "Admission Control", NodeRestriction, v1.36): its own Node,
 * Lease and CSINode, the status of pods that are bound to it, tokens for them, and little else. The node authorizer has
 * let the request in by its names; here its content is looked at. All refusals are upstream's, but for those of local
 * volumes, which only this cluster has.
 */
import { messageOf } from "../../../core/errors.ts";
import { parseCertificateRequest } from "../../../kinds/certificates/certificate-request.ts";
import { certificateSigningRequests } from "../../../kinds/certificates/certificatesigningrequest.ts";
import { leases } from "../../../kinds/core/lease.ts";
import { nodes } from "../../../kinds/core/node.ts";
import { serviceAccounts } from "../../../kinds/core/serviceaccount.ts";
import type {
	CertificateSigningRequest,
	PersistentVolume,
	PersistentVolumeClaim,
	ResourceSlice,
} from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { resourceSlices } from "../../../kinds/resource/resourceslice.ts";
import { csiNodes } from "../../../kinds/storage/csinode.ts";
import { persistentVolumes } from "../../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../../kinds/storage/persistentvolumeclaim.ts";
import { nodeNameOf } from "../../access/node/node-identity.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { claimStatusProblem, volumeProblem } from "./claims.ts";
import { nodeProblem } from "./nodes.ts";
import { podProblem } from "./pods.ts";
import { admitNodeToken } from "./tokens.ts";

/** Why a node may not make the request; undefined if it may. */
type Problem = (node: string, request: AdmissionAttributes) => string | undefined;

const problems: ReadonlyMap<string, Problem> = new Map<string, Problem>([
	[pods.plural, podProblem],
	[nodes.plural, nodeProblem],
	[leases.plural, leaseProblem],
	[csiNodes.plural, csiNodeProblem],
	[certificateSigningRequests.plural, certificateProblem],
	[resourceSlices.plural, sliceProblem],
	// The kinds of the objects are the step's.
	[
		persistentVolumeClaims.plural,
		(node, { object, old, subresource }) =>
			subresource === "status"
				? claimStatusProblem(node, object as PersistentVolumeClaim, old as PersistentVolumeClaim)
				: "may only update PVC status",
	],
	[
		persistentVolumes.plural,
		(node, { object, old }) => volumeProblem(node, object as PersistentVolume, old as PersistentVolume | undefined),
	],
]);

export const nodeRestriction: AdmissionStep = {
	name: "NodeRestriction",
	on: {
		operations: ["create", "update", "delete"],
		kinds: [
			pods,
			nodes,
			leases,
			csiNodes,
			certificateSigningRequests,
			persistentVolumeClaims,
			persistentVolumes,
			resourceSlices,
			serviceAccounts,
		],
		subresources: true,
	},
	admit(request) {
		const node = nodeNameOf(request.user);
		if (node === undefined) return undefined;
		const { kind, subresource } = request;
		if (node !== "" && kind.plural === serviceAccounts.plural && subresource === "token")
			return admitNodeToken(node, request);
		const problem =
			node === ""
				? `could not determine node from user ${JSON.stringify(request.user.name)}`
				: problems.get(kind.plural)?.(node, request);
		if (problem === undefined) return undefined;
		const error = refused(request, problem);
		request.server.options.onRefused?.(request.user, error.message);
		throw error;
	},
};

/** The authorizer has checked existing slices. */
function sliceProblem(node: string, { operation, object }: AdmissionAttributes): string | undefined {
	// The kind of the object is the step's.
	if (operation !== "create" || (object as ResourceSlice).spec.nodeName === node) return undefined;
	return "can only create ResourceSlice with the same NodeName as the requesting node";
}

const leaseNamespace = "kube-node-lease";

function leaseProblem(node: string, { namespace, object }: AdmissionAttributes): string | undefined {
	if (namespace !== leaseNamespace) return `can only access leases in the "${leaseNamespace}" system namespace`;
	return object.metadata.name === node
		? undefined
		: "can only access node lease with the same name as the requesting node";
}

function csiNodeProblem(node: string, { object }: AdmissionAttributes): string | undefined {
	return object.metadata.name === node
		? undefined
		: "can only access CSINode with the same name as the requesting node";
}

const nodeSigners = new Set(["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"]);

/** Only the node itself may request its certificate. */
function certificateProblem(node: string, { operation, object }: AdmissionAttributes): string | undefined {
	if (operation !== "create") return undefined;
	const { spec } = object as CertificateSigningRequest;
	if (!nodeSigners.has(spec.signerName)) return undefined;
	try {
		const { commonName } = parseCertificateRequest(Buffer.from(spec.request, "base64").toString());
		return commonName === `system:node:${node}` ? undefined : `can only create a node CSR with CN=system:node:${node}`;
	} catch (error) {
		return `unable to parse csr: ${messageOf(error)}`;
	}
}
