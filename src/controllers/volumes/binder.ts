import { objectKey, parseKey } from "../../core/object.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isLocalVolume } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../../kinds/storage/storageclass.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";
import { classNameOf } from "./match.ts";
import { plan } from "./plan.ts";
import { takesVolumes } from "./provision.ts";
import {
	type ClaimState,
	claimIndex,
	claimsOfPod,
	gatherClaim,
	gatherVolume,
	hostnameIndex,
	type VolumeState,
} from "./state.ts";

/**
 * Binds claims to volumes, creates local volumes for classes with the provisioner `coxswain.io/local`, and reclaims
 * volumes whose claim was deleted (Kubernetes documentation, "Persistent Volumes", "Storage Classes").
 *
 * Keys are `claim/<namespace>/<name>` for a claim and every volume that refers to it, so that the two sides of a
 * binding are never processed concurrently, and `volume/<name>` for unbound volumes.
 */
export const volumeBinder: Controller<ClaimState | VolumeState> = {
	name: "persistentvolume-binder",
	component: "persistentvolume-controller",
	account: "persistent-volume-binder",
	watches: [
		watchRule(persistentVolumeClaims, claimKeys),
		watchRule(persistentVolumes, volumeKeys, { indexes: claimIndex }),
		watchRule(storageClasses, classKeys, { expectations: false }),
		watchRule(nodes, nodeKeys, { expectations: false, indexes: hostnameIndex }),
		watchRule(pods, () => [], { expectations: false, indexes: claimsOfPod }),
	],
	gather(key, informers) {
		const { namespace = "", name } = parseKey(key.slice(key.indexOf("/") + 1));
		return key.startsWith("claim/") ? gatherClaim(namespace, name, informers) : gatherVolume(name, informers);
	},
	plan,
};

function claimKeys(
	current: PersistentVolumeClaim | undefined,
	old: PersistentVolumeClaim | undefined,
	informers: InformerCache,
): string[] {
	const claim = current ?? old;
	if (claim === undefined) return [];
	const keys = [`claim/${objectKey(claim)}`];
	const { volumeName } = claim.spec;
	const named = volumeName ? informers.of(persistentVolumes).get(undefined, volumeName) : undefined;
	return named === undefined ? keys : [...keys, ...keyOf(named)];
}

function keyOf({ metadata, spec }: PersistentVolume): string[] {
	if (spec.claimRef === undefined) return [`volume/${metadata.name}`];
	return [`claim/${spec.claimRef.namespace}/${spec.claimRef.name}`];
}

/** The volume's own key, claims that name it, and, if it is available, waiting claims of its class. */
function volumeKeys(
	current: PersistentVolume | undefined,
	old: PersistentVolume | undefined,
	informers: InformerCache,
): Set<string> {
	const keys = new Set<string>();
	for (const volume of [current, old]) if (volume !== undefined) for (const key of keyOf(volume)) keys.add(key);
	// A volume that was provisioned for a claim only matters to that claim.
	if (current !== undefined && isLocalVolume(current) && current.spec.claimRef !== undefined) return keys;
	const name = (current ?? old)?.metadata.name;
	const free = current?.spec.claimRef === undefined && current?.status?.phase === "Available";
	for (const claim of informers.of(persistentVolumeClaims).list()) {
		const wants = claim.spec.volumeName ? claim.spec.volumeName === name : free && sameClass(claim, current);
		if (wants) keys.add(`claim/${objectKey(claim)}`);
	}
	return keys;
}

function sameClass(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): boolean {
	return volume !== undefined && (classNameOf(claim) ?? "") === (classNameOf(volume) ?? "");
}

/** Claims that wait for a class: for this one by name, or for any default class. */
function classKeys(
	current: StorageClass | undefined,
	_old: StorageClass | undefined,
	informers: InformerCache,
): string[] {
	if (current === undefined) return [];
	const keys: string[] = [];
	for (const claim of informers.of(persistentVolumeClaims).list()) {
		const name = classNameOf(claim);
		const waits = !claim.spec.volumeName && (name === undefined || name === current.metadata.name);
		if (waits) keys.push(`claim/${objectKey(claim)}`);
	}
	return keys;
}

/**
 * A new node, or one that becomes ready, may be what a claim waits for; with a removed node, deleted volumes lose their
 * agent.
 */
function nodeKeys(current: Node | undefined, old: Node | undefined, informers: InformerCache): string[] {
	const keys: string[] = [];
	if (current !== undefined && takesVolumes(current) && !(old !== undefined && takesVolumes(old))) {
		for (const claim of informers.of(persistentVolumeClaims).list()) {
			if (!claim.spec.volumeName) keys.push(`claim/${objectKey(claim)}`);
		}
	} else if (current === undefined) {
		for (const volume of informers.of(persistentVolumes).list()) {
			if (volume.metadata.deletionTimestamp !== undefined) keys.push(...keyOf(volume));
		}
	}
	return keys;
}
