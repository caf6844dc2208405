/** Tokens that an agent may request: for pods that are bound to its node, with the audiences that they name. */
import { notFound } from "../../../core/errors.ts";
import type { Pod } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { csiDrivers } from "../../../kinds/storage/csidriver.ts";
import { persistentVolumes } from "../../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../../kinds/storage/persistentvolumeclaim.ts";
import { refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes, Server } from "../../server/server.ts";

/** The part of a TokenRequest that is checked. */
interface TokenRequest {
	spec?: {
		audiences?: readonly string[];
		boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string };
	};
}

const audienceVerb = "request-serviceaccounts-token-audience";

/** @throws ApiError Forbidden, or NotFound for a pod that does not exist */
export async function admitNodeToken(node: string, request: AdmissionAttributes): Promise<void> {
	const { server, user, namespace = "", name, sent } = request;
	// Bodies of serviceaccounts/token are TokenRequests.
	const { audiences = [], boundObjectRef: bound } = (sent as TokenRequest | undefined)?.spec ?? {};
	if (bound?.apiVersion !== "v1" || bound.kind !== "Pod" || (bound.name ?? "") === "")
		throw refused(request, "node requested token not bound to a pod");
	if ((bound.uid ?? "") === "") throw refused(request, "node requested token with a pod binding without a uid");
	const pod = server.cache.find(pods, namespace, bound.name ?? "");
	if (pod === undefined) throw notFound(pods, bound.name ?? "");
	if (pod.metadata.uid !== bound.uid)
		throw refused(
			request,
			`the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
		);
	if (pod.spec.nodeName !== node)
		throw refused(request, "node requested token bound to a pod scheduled on a different node");
	if (audiences.length > 1) throw refused(request, "node may only request 0 or 1 audiences");
	const [audience = ""] = audiences;
	if (audiencesOf(server, pod).has(audience)) return;
	// A role may allow nodes to request other audiences, such as those that registries trust.
	const { verdict } = await server.authorizer.authorize({
		user,
		verb: audienceVerb,
		path: "",
		resource: { group: "", version: "v1", plural: audience, namespace, name },
	});
	if (verdict !== "allow")
		throw refused(
			request,
			`audience "${audience}" not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`,
		);
}

/** Empty for the API server's own. */
function audiencesOf(server: Server, pod: Pod): Set<string> {
	const found = new Set<string>();
	const { namespace = "", name: podName } = pod.metadata;
	const addDriver = (name: string | undefined) => {
		const driver = name === undefined ? undefined : server.cache.find(csiDrivers, undefined, name);
		for (const { audience } of driver?.spec.tokenRequests ?? []) found.add(audience);
	};
	for (const { name, projected, csi, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
		for (const { serviceAccountToken } of projected?.sources ?? [])
			if (serviceAccountToken !== undefined) found.add(serviceAccountToken.audience ?? "");
		addDriver(csi?.driver);
		const claimName = persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${podName}-${name}`);
		if (claimName === undefined) continue;
		const claim = server.cache.find(persistentVolumeClaims, namespace, claimName);
		const volumeName = claim?.spec?.volumeName ?? "";
		const volume = server.cache.find(persistentVolumes, undefined, volumeName);
		addDriver(volume?.spec.csi?.driver);
	}
	return found;
}
