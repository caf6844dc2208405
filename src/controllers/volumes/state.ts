import type { InformerCache } from "../../client/informer-cache.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { hostnameLabel, hostnameOf, selectedNodeAnnotation } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../../kinds/storage/storageclass.ts";
import { classNameOf } from "./match.ts";
import { defaultClassAnnotation } from "./standard-class.ts";

/** A claim with all volumes that refer to it; or only the volumes, if the claim was deleted. */
export interface ClaimState {
	is: "claim";
	claim: PersistentVolumeClaim | undefined;
	/** Volumes whose claimRef has the claim's namespace and name. */
	volumes: readonly PersistentVolume[];
	/** The volume that the claim names. */
	named: PersistentVolume | undefined;
	/** Volumes of the claim's class without a claimRef; only while the claim names no volume. */
	free: readonly PersistentVolume[];
	/** The class that the claim names, or the default one. */
	storageClass: StorageClass | undefined;
	/** The node that the scheduler selected, if it exists. */
	selectedNode: Node | undefined;
	/** Only for classes with immediate provisioning. */
	nodes: readonly Node[];
	/** Names of pods without a node that use the claim. */
	waitingPods: readonly string[];
	/** Hostnames of those terminating volumes whose node no longer exists. */
	lostHostnames: ReadonlySet<string>;
}

/** An unbound volume. */
export interface VolumeState {
	is: "volume";
	volume: PersistentVolume;
	lostHostnames: ReadonlySet<string>;
}

export const claimIndex = {
	claimRef: ({ spec }: PersistentVolume): readonly string[] =>
		spec.claimRef === undefined ? [] : [`${spec.claimRef.namespace}/${spec.claimRef.name}`],
	/** Unbound volumes, by class. */
	freeOfClass: (volume: PersistentVolume): readonly string[] =>
		volume.spec.claimRef === undefined ? [classNameOf(volume) ?? ""] : [],
};

/** Claims that a pod uses, including those of ephemeral volumes, as namespace/name. */
export const claimsOfPod = {
	claim: ({ metadata, spec }: Pod): readonly string[] =>
		(spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
			if (persistentVolumeClaim !== undefined) return `${metadata.namespace}/${persistentVolumeClaim.claimName}`;
			return ephemeral === undefined ? [] : `${metadata.namespace}/${metadata.name}-${name}`;
		}),
};

export const hostnameIndex = {
	hostname: ({ metadata }: Node): readonly string[] => [metadata.labels?.[hostnameLabel] ?? metadata.name],
};

export function gatherClaim(namespace: string, name: string, informers: InformerCache): ClaimState | undefined {
	const claim = informers.of(persistentVolumeClaims).get(namespace, name);
	const volumes = [...informers.of(persistentVolumes).byIndex("claimRef", `${namespace}/${name}`)];
	if (claim === undefined && volumes.length === 0) return undefined;
	const { volumeName } = claim?.spec ?? {};
	const unbound = claim !== undefined && !volumeName;
	const storageClass = claim && classFor(claim, informers);
	const immediate = storageClass?.volumeBindingMode !== "WaitForFirstConsumer";
	const selected = claim?.metadata.annotations?.[selectedNodeAnnotation];
	return {
		is: "claim",
		claim,
		volumes,
		named: volumeName ? informers.of(persistentVolumes).get(undefined, volumeName) : undefined,
		free: unbound ? [...informers.of(persistentVolumes).byIndex("freeOfClass", classNameOf(claim) ?? "")] : [],
		storageClass,
		selectedNode: selected === undefined ? undefined : informers.of(nodes).get(undefined, selected),
		nodes: unbound && immediate ? [...informers.of(nodes).list()] : [],
		waitingPods: unbound ? waitingPods(`${namespace}/${name}`, informers) : [],
		lostHostnames: lostHostnames(volumes, informers),
	};
}

export function gatherVolume(name: string, informers: InformerCache): VolumeState | undefined {
	const volume = informers.of(persistentVolumes).get(undefined, name);
	return volume && { is: "volume", volume, lostHostnames: lostHostnames([volume], informers) };
}

function waitingPods(key: string, informers: InformerCache): string[] {
	const names: string[] = [];
	for (const pod of informers.of(pods).byIndex("claim", key)) if (!pod.spec.nodeName) names.push(pod.metadata.name);
	return names.sort();
}

function classFor(claim: PersistentVolumeClaim, informers: InformerCache): StorageClass | undefined {
	const name = classNameOf(claim);
	if (name !== undefined) return name === "" ? undefined : informers.of(storageClasses).get(undefined, name);
	let newest: StorageClass | undefined;
	for (const candidate of informers.of(storageClasses).list()) {
		if (candidate.metadata.annotations?.[defaultClassAnnotation] !== "true") continue;
		if (newest === undefined || isNewer(candidate, newest)) newest = candidate;
	}
	return newest;
}

function isNewer(left: StorageClass, right: StorageClass): boolean {
	const [now, before] = [left.metadata.creationTimestamp, right.metadata.creationTimestamp];
	return now === before ? left.metadata.name < right.metadata.name : now > before;
}

function lostHostnames(volumes: readonly PersistentVolume[], informers: InformerCache): ReadonlySet<string> {
	const lost = new Set<string>();
	for (const volume of volumes) {
		const hostname = volume.metadata.deletionTimestamp === undefined ? undefined : hostnameOf(volume);
		if (hostname !== undefined && [...informers.of(nodes).byIndex("hostname", hostname)].length === 0)
			lost.add(hostname);
	}
	return lost;
}
