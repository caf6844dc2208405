/**
 * Claims in use by pods and volumes bound to claims are not deleted under them (Kubernetes documentation, "Storage
 * Object in Use Protection").
 */
import type { KubeObject } from "../../core/object.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { claimProtectionFinalizer, volumeProtectionFinalizer } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { confirmNone, update } from "../runtime/actions.ts";
import { type Action, type Controller, watchRule } from "../runtime/controller.ts";
import { claimsOfPod } from "./state.ts";

export interface ProtectedState<T extends KubeObject> {
	object: T;
	inUse: boolean;
}

/** A claim is in use as long as there is a pod that names it and has a node. */
export const claimProtection: Controller<ProtectedState<PersistentVolumeClaim>> = {
	name: "pvc-protection",
	component: "pvc-protection-controller",
	watches: [
		watchRule(persistentVolumeClaims, (current) => (current === undefined ? [] : [objectKey(current)])),
		// A pod that is gone may have been the last to use its claims; one that comes protects them by being there.
		watchRule(pods, (current, old) => (current === undefined && old !== undefined ? claimsOfPod.claim(old) : []), {
			expectations: false,
			indexes: claimsOfPod,
		}),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const object = informers.of(persistentVolumeClaims).get(namespace, name);
		if (object === undefined) return undefined;
		return { object, inUse: [...informers.of(pods).byIndex("claim", key)].some(hasNode) };
	},
	plan: ({ object, inUse }) => ({
		actions: protect(persistentVolumeClaims, object, inUse, claimProtectionFinalizer, [noUser(object)]),
	}),
};

/** A volume is in use as long as it is bound. */
export const volumeProtection: Controller<ProtectedState<PersistentVolume>> = {
	name: "pv-protection",
	component: "pv-protection-controller",
	watches: [watchRule(persistentVolumes, (current) => (current === undefined ? [] : [current.metadata.name]))],
	gather(key, informers) {
		const object = informers.of(persistentVolumes).get(undefined, key);
		return object && { object, inUse: object.status?.phase === "Bound" };
	},
	plan: ({ object, inUse }) => ({ actions: protect(persistentVolumes, object, inUse, volumeProtectionFinalizer, []) }),
};

function hasNode({ spec }: Pod): boolean {
	return spec.nodeName !== undefined && spec.nodeName !== "";
}

/** A pod may have got its node a moment ago. */
function noUser(claim: PersistentVolumeClaim): Action {
	const key = objectKey(claim);
	return confirmNone([pods], claim.metadata.namespace, {
		which: `that use claim ${claim.metadata.name}`,
		matches: (pod) => hasNode(pod) && claimsOfPod.claim(pod).includes(key),
	});
}

/** Adds the finalizer to what has none, and takes it, after `checks`, from what is to be deleted and not in use. */
function protect<T extends KubeObject>(
	kind: Kind<T>,
	object: T,
	inUse: boolean,
	finalizer: string,
	checks: Action[],
): Action[] {
	const { deletionTimestamp, finalizers = [] } = object.metadata;
	const has = finalizers.includes(finalizer);
	if (deletionTimestamp === undefined) {
		if (has) return [];
		return [update(kind, { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } })];
	}
	if (!has || inUse) return [];
	const left = finalizers.filter((name) => name !== finalizer);
	return [...checks, update(kind, { ...object, metadata: { ...object.metadata, finalizers: left } })];
}
