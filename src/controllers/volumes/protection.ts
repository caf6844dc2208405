/**
 * Prevents the deletion of claims that pods use, and of volumes that are bound (Kubernetes documentation, "Storage
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

/** A claim is in use while a pod with a node refers to it. */
export const claimProtection: Controller<ProtectedState<PersistentVolumeClaim>> = {
	name: "pvc-protection",
	component: "pvc-protection-controller",
	watches: [
		watchRule(persistentVolumeClaims, (current) => (current === undefined ? [] : [objectKey(current)])),
		// A deleted pod may have been the last user of its claims; a new one protects them by existing.
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

/** A volume is in use while it is bound. */
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

/** A pod may just have been bound to a node. */
function noUser(claim: PersistentVolumeClaim): Action {
	const key = objectKey(claim);
	return confirmNone([pods], claim.metadata.namespace, {
		which: `that use claim ${claim.metadata.name}`,
		matches: (pod) => hasNode(pod) && claimsOfPod.claim(pod).includes(key),
	});
}

/**
 * Adds the finalizer if it is missing, and removes it, after `checks`, from an object that is being deleted and not in
 * use.
 */
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
