/**
 * Claims of pods' ephemeral volumes, which are created and deleted with the pod (Kubernetes documentation, "Ephemeral
 * Volumes", "Generic ephemeral volumes"; KEP-1698).
 */
import { controllerOf, controllerReference, objectKey, parseKey } from "../../core/object.ts";
import type { PersistentVolumeClaim, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { create, event } from "../runtime/actions.ts";
import { type Action, type Controller, watchRule } from "../runtime/controller.ts";

export interface EphemeralState {
	pod: Pod;
	/** The existing claims for the pod's ephemeral volumes, by name. */
	claims: ReadonlyMap<string, PersistentVolumeClaim>;
}

/** Creates the claims of pods' ephemeral volumes, named `<pod>-<volume>` and owned by the pod. */
export const ephemeralVolumes: Controller<EphemeralState> = {
	name: "ephemeral-volume",
	component: "ephemeral_volume",
	account: "ephemeral-volume-controller",
	watches: [
		watchRule(pods, (current, old) => {
			const comes = current !== undefined && old === undefined;
			return comes && current.spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined)
				? [objectKey(current)]
				: [];
		}),
		watchRule(persistentVolumeClaims, (current, old) => {
			const owner = current === undefined && old !== undefined ? controllerOf(old) : undefined;
			return owner?.kind === "Pod" ? [`${old?.metadata.namespace}/${owner.name}`] : [];
		}),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const pod = informers.of(pods).get(namespace, name);
		if (pod === undefined) return undefined;
		const claims = new Map<string, PersistentVolumeClaim>();
		for (const volume of pod.spec.volumes ?? []) {
			const claim = informers.of(persistentVolumeClaims).get(namespace, `${name}-${volume.name}`);
			if (volume.ephemeral !== undefined && claim !== undefined) claims.set(claim.metadata.name, claim);
		}
		return { pod, claims };
	},
	plan({ pod, claims }) {
		if (pod.metadata.deletionTimestamp !== undefined) return { actions: [] };
		return { actions: (pod.spec.volumes ?? []).flatMap((volume) => claimFor(pod, volume, claims)) };
	},
};

function claimFor(
	pod: Pod,
	{ name: volumeName, ephemeral }: NonNullable<Pod["spec"]["volumes"]>[number],
	claims: EphemeralState["claims"],
): Action[] {
	const template = ephemeral?.volumeClaimTemplate;
	if (template === undefined) return [];
	const { namespace, name, uid } = pod.metadata;
	const claimName = `${name}-${volumeName}`;
	const found = claims.get(claimName);
	if (found !== undefined) {
		if (controllerOf(found)?.uid === uid) return [];
		const why = `PVC "${namespace}/${claimName}" was not created for pod "${namespace}/${name}" (pod is not owner)`;
		return [event(pod, "Warning", "FailedBinding", `ephemeral volume ${volumeName}: ${why}`)];
	}
	const { labels, annotations } = template.metadata ?? {};
	const metadata = {
		namespace,
		name: claimName,
		...(labels === undefined ? {} : { labels }),
		...(annotations === undefined ? {} : { annotations }),
		ownerReferences: [controllerReference(pod)],
	};
	return [create(persistentVolumeClaims, { metadata, spec: template.spec })];
}
