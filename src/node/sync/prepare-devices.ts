import { isReason } from "../../core/errors.ts";
import type { Pod, ResourceResourceClaim } from "../../kinds/generated/types.ts";
import { claimNameOf, isForPod, isReservedFor } from "../../kinds/resource/pod-claims.ts";
import { resourceClaims } from "../../kinds/resource/resourceclaim.ts";
import { DeviceError, type NodeContext } from "../context/node-context.ts";

/**
 * Checks that the pod may use the devices of its claims. No driver can register with a real node, so devices are only
 * there on simulated ones.
 * @throws DeviceError
 */
export async function prepareDevices(pod: Pod, context: NodeContext): Promise<void> {
	for (const entry of pod.spec.resourceClaims ?? []) {
		const name = claimNameOf(pod, entry);
		if (name === "none") continue;
		if (name === "missing") throw new DeviceError(`claim ${entry.name}: ResourceClaim not created yet`);
		const claim = await claimNamed(pod, name.name, context);
		const [key, podKey] = [nameOf(claim), nameOf(pod)];
		if (name.isOwn && !isForPod(claim, pod))
			throw new DeviceError(`ResourceClaim ${key} was not created for Pod ${podKey} (Pod is not owner)`);
		if (!isReservedFor(claim, pod)) throw new DeviceError(`pod ${podKey} is not allowed to use ResourceClaim ${key}`);
		const driver = claim.status?.allocation?.devices?.results?.[0]?.driver;
		if (driver !== undefined && context.files !== undefined)
			throw new DeviceError(`claim ${key}: DRA driver ${driver} is not registered`);
	}
}

async function claimNamed(pod: Pod, name: string, { client }: NodeContext): Promise<ResourceResourceClaim> {
	const { namespace } = pod.metadata;
	try {
		return await client.get(resourceClaims, { namespace, name });
	} catch (error) {
		if (!isReason(error, "NotFound", "Forbidden")) throw error;
		const why = `resourceclaims.resource.k8s.io "${name}" not found`;
		throw new DeviceError(`failed to fetch ResourceClaim ${name} referenced by pod ${pod.metadata.name}: ${why}`);
	}
}

function nameOf({ metadata }: { metadata: { namespace?: string; name: string } }): string {
	return `${metadata.namespace}/${metadata.name}`;
}
