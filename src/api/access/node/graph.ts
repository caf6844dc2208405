/** Which nodes may read which objects: those that their pods name, and the volumes that these pods claim. */
import { sameJson } from "../../../core/equal.ts";
import type { KubeObject } from "../../../core/object.ts";
import type { PersistentVolume, Pod } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { resourceSlices } from "../../../kinds/resource/resourceslice.ts";
import { hostnameOf, isLocalVolume } from "../../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../../kinds/storage/persistentvolume.ts";
import { volumeAttachments } from "../../../kinds/storage/volumeattachment.ts";
import type { WatchCache } from "../../cache/cache.ts";
import type { CacheEvent } from "../../cache/event.ts";
import { keyPrefix } from "../../cache/keys.ts";
import type { KindCache } from "../../cache/kind-cache.ts";
import { type Reference, reference, referencesOf, secretsOfVolume } from "./pod-references.ts";

/**
 * Built when a node first asks for something that it takes, then kept up to date with each commit: clusters whose nodes
 * never ask pay nothing for it. Its cost is in proportion to the pods that are bound and removed.
 */
export class NodeGraph {
	readonly #cache: WatchCache;
	/** Object that pods on nodes name → node → number of those pods. */
	readonly #nodes = new Map<Reference, Map<string, number>>();
	/** Secrets → names of the volumes that need them. */
	readonly #volumes = new Map<Reference, Set<string>>();
	#following: AbortController | undefined;

	constructor(cache: WatchCache) {
		this.#cache = cache;
	}

	/** Whether a pod on the node names the object, or claims a volume that names it. */
	reaches(node: string, plural: string, namespace: string, name: string): boolean {
		this.#follow();
		const wanted = reference(plural, namespace, name);
		if (this.#nodes.get(wanted)?.has(node) === true) return true;
		for (const volume of this.#volumes.get(wanted) ?? []) if (this.claims(node, volume)) return true;
		return false;
	}

	/** Whether a pod on the node claims the volume. */
	claims(node: string, volumeName: string): boolean {
		this.#follow();
		const { namespace = "", name = "" } = this.#volume(volumeName)?.spec.claimRef ?? {};
		return name !== "" && this.#nodes.get(reference("persistentvolumeclaims", namespace, name))?.has(node) === true;
	}

	runs(node: string, namespace: string, podName: string): boolean {
		const found = this.#cache.find(pods, namespace, podName);
		return found?.spec.nodeName === node;
	}

	attaches(node: string, attachmentName: string): boolean {
		const found = this.#cache.find(volumeAttachments, undefined, attachmentName);
		return found?.spec.nodeName === node;
	}

	/** Whether the devices of the slice are those of the node. */
	offers(node: string, sliceName: string): boolean {
		return this.#cache.find(resourceSlices, undefined, sliceName)?.spec.nodeName === node;
	}

	/** Whether the volume is a directory that the node's agent made (kinds/storage/local-volume.ts). */
	holds(node: string, volumeName: string): boolean {
		const volume = this.#volume(volumeName);
		return volume !== undefined && isLocalVolume(volume) && hostnameOf(volume) === node;
	}

	#volume(name: string): PersistentVolume | undefined {
		return this.#cache.find(persistentVolumes, undefined, name);
	}

	#follow(): void {
		if (this.#following !== undefined) return;
		const following = new AbortController();
		this.#following = following;
		this.#nodes.clear();
		this.#volumes.clear();
		// The cache was refilled: the index is rebuilt when it is next needed.
		const end = () => {
			following.abort();
			if (this.#following === following) this.#following = undefined;
		};
		this.#count(this.#cache.resource(pods), keyPrefix(pods), (now, old) => this.#podChanged(now, old), {
			signal: following.signal,
			end,
		});
		this.#count(
			this.#cache.resource(persistentVolumes),
			keyPrefix(persistentVolumes),
			(now, old) => this.#volumeChanged(now, old),
			{ signal: following.signal, end },
		);
	}

	#count<T extends KubeObject>(
		cache: KindCache<T>,
		prefix: string,
		changed: (now: T | undefined, old: T | undefined) => void,
		{ signal, end }: { signal: AbortSignal; end: () => void },
	): void {
		for (const { object } of cache.range(prefix)) changed(object, undefined);
		const watcher = {
			scope: { by: "all" as const },
			change: ({ current, previous }: CacheEvent<T>) => changed(current?.object, previous?.object),
			progress() {},
			end,
		};
		cache.watch(watcher, this.#cache.revision, signal);
	}

	/** Names are fixed once the pod has a node, except for ephemeral containers and claims that are added later. */
	#podChanged(now: Pod | undefined, old: Pod | undefined): void {
		const [node, oldNode] = [now?.spec.nodeName ?? "", old?.spec.nodeName ?? ""];
		if (
			node === oldNode &&
			now?.metadata.uid === old?.metadata.uid &&
			now?.spec.ephemeralContainers?.length === old?.spec.ephemeralContainers?.length &&
			sameJson(now?.status?.resourceClaimStatuses, old?.status?.resourceClaimStatuses)
		)
			return;
		if (old !== undefined && oldNode !== "") for (const each of referencesOf(old)) this.#add(each, oldNode, -1);
		if (now !== undefined && node !== "") for (const each of referencesOf(now)) this.#add(each, node, 1);
	}

	#add(named: Reference, node: string, difference: number): void {
		let counts = this.#nodes.get(named);
		if (counts === undefined) {
			counts = new Map();
			this.#nodes.set(named, counts);
		}
		const count = (counts.get(node) ?? 0) + difference;
		if (count > 0) counts.set(node, count);
		else counts.delete(node);
		if (counts.size === 0) this.#nodes.delete(named);
	}

	#volumeChanged(now: PersistentVolume | undefined, old: PersistentVolume | undefined): void {
		if (old !== undefined)
			for (const secret of secretsOfVolume(old)) {
				const names = this.#volumes.get(secret);
				names?.delete(old.metadata.name);
				if (names?.size === 0) this.#volumes.delete(secret);
			}
		if (now !== undefined)
			for (const secret of secretsOfVolume(now)) {
				const names = this.#volumes.get(secret) ?? new Set();
				this.#volumes.set(secret, names.add(now.metadata.name));
			}
	}
}
