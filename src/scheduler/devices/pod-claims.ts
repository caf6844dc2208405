import type { Pod, ResourceResourceClaim } from "../../kinds/generated/types.ts";
import { claimNameOf, isForPod } from "../../kinds/resource/pod-claims.ts";
import type { Devices } from "../model/devices.ts";

/** The claims of a pod in the order of its spec, or why they cannot be used. */
export function claimsOf(pod: Pod, devices: Devices): { claims: ResourceResourceClaim[] } | { problem: string } {
	const claims: ResourceResourceClaim[] = [];
	const { namespace = "", name: podName } = pod.metadata;
	for (const entry of pod.spec.resourceClaims ?? []) {
		const name = claimNameOf(pod, entry);
		if (name === "none") continue;
		if (name === "missing") return { problem: `pod "${namespace}/${podName}": ResourceClaim not created yet` };
		const claim = devices.claim(namespace, name.name);
		if (claim === undefined) return { problem: `resourceclaim.resource.k8s.io "${name.name}" not found` };
		if (claim.metadata.deletionTimestamp !== undefined)
			return { problem: `resourceclaim "${name.name}" is being deleted` };
		if (name.isOwn && !isForPod(claim, pod)) {
			const [of, at] = [`${namespace}/${name.name}`, `${namespace}/${podName}`];
			return { problem: `ResourceClaim ${of} was not created for Pod ${at} (Pod is not owner)` };
		}
		claims.push(claim);
	}
	return { claims };
}
