/** Volumes that are created only after a pod has a node: sets the node on the claims, and waits for the volumes. */
import type { Client } from "../client/client.ts";
import { isReason } from "../core/errors.ts";
import type { Clock, Timer } from "../core/time/clock.ts";
import type { PersistentVolumeClaim } from "../kinds/generated/types.ts";
import { persistentVolumes } from "../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../kinds/storage/persistentvolumeclaim.ts";
import { claimsToSelect, isBound, reachOf, selectedNodeAnnotation } from "./filters/volumes.ts";
import type { PodInfo } from "./model/pod-info.ts";
import type { ClusterView } from "./model/snapshot.ts";

interface Waiting {
	pod: PodInfo;
	nodeName: string;
	/** Claims that have shown the selected node: if it is removed from them, provisioning has failed. */
	chosen: Set<string>;
	timer: Timer;
	done(bound: boolean): void;
}

/** Upstream's bind timeout. */
const patienceMs = 600_000;

/** How often a claim that other clients change is read again before its node is set. */
const mostChoices = 5;

export class Claims {
	readonly #client: Client;
	readonly #clock: Clock;
	readonly #cluster: ClusterView;
	/** By the pod's key. */
	readonly #waiting = new Map<string, Waiting>();

	constructor(client: Client, clock: Clock, cluster: ClusterView) {
		this.#client = client;
		this.#clock = clock;
		this.#cluster = cluster;
	}

	/** Whether the pod has to wait for volumes on this node. */
	pending(pod: PodInfo): boolean {
		return pod.claimNames.length > 0 && claimsToSelect(pod, this.#cluster).length > 0;
	}

	/**
	 * Sets the node on the pod's claims and waits until they are bound.
	 * @returns false if that failed, took too long, or was cancelled
	 * @throws ApiError if a claim cannot be written
	 */
	async bind(pod: PodInfo, nodeName: string): Promise<boolean> {
		// Registered first: the pod may be deleted, or the scheduler stopped, while claims are being written.
		const { waiting, bound } = this.#wait(pod, nodeName);
		const isWaiting = () => this.#waiting.get(pod.key) === waiting;
		try {
			for (const claim of claimsToSelect(pod, this.#cluster)) {
				if (!isWaiting()) break;
				await this.#choose(claim, nodeName);
			}
		} catch (error) {
			if (isWaiting()) waiting.done(false);
			throw error;
		}
		if (isWaiting()) this.#look(waiting);
		return bound;
	}

	/**
	 * Sets the node on the claim. The choice of another pod that uses the claim, too, is kept.
	 * @throws Error if another node is selected
	 */
	async #choose(claim: PersistentVolumeClaim, nodeName: string): Promise<void> {
		let current = claim;
		for (let attempt = 1; ; attempt++) {
			const selected = current.metadata.annotations?.[selectedNodeAnnotation];
			if (isBound(current) || selected === nodeName) return;
			const { namespace, name, uid, resourceVersion } = current.metadata;
			if (selected !== undefined) throw new Error(`binding volumes: the claim ${name} is to be on ${selected}`);
			const metadata = { uid, resourceVersion, annotations: { [selectedNodeAnnotation]: nodeName } };
			try {
				await this.#client.patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch: { metadata } });
				return;
			} catch (error) {
				if (!isReason(error, "Conflict") || attempt === mostChoices) throw error;
				current = await this.#client.get(persistentVolumeClaims, { namespace, name });
			}
		}
	}

	#wait(pod: PodInfo, nodeName: string): { waiting: Waiting; bound: Promise<boolean> } {
		let resolve: (bound: boolean) => void = () => undefined;
		const bound = new Promise<boolean>((settle) => {
			resolve = settle;
		});
		const timer = this.#clock.after(patienceMs, () => this.cancel(pod.key));
		const done = (isBound: boolean) => {
			timer.cancel();
			this.#waiting.delete(pod.key);
			resolve(isBound);
		};
		const waiting = { pod, nodeName, chosen: new Set<string>(), timer, done };
		this.#waiting.set(pod.key, waiting);
		return { waiting, bound };
	}

	/**
	 * Reads the pod's claims from the API: the informer cache may still show a bound claim whose name has been reused
	 * since, and one with that name without a node would wait forever once the pod has its own. A claim that several pods
	 * use may have been bound for another of them.
	 * @throws Error if a claim is not bound or its volume is not on the node, ApiError if one cannot be read
	 */
	async confirm(pod: PodInfo, nodeName: string): Promise<void> {
		for (const name of pod.claimNames) {
			const claim = await this.#client
				.get(persistentVolumeClaims, { namespace: pod.namespace, name })
				.catch((error: unknown) => {
					// To the caller, NotFound would mean the pod.
					if (isReason(error, "NotFound")) return undefined;
					throw error;
				});
			if (claim === undefined || !isBound(claim)) throw new Error(`binding volumes: the claim ${name} is not bound`);
			const volumeName = claim.spec.volumeName ?? "";
			const known = this.#cluster.volumes.volume(volumeName);
			const volume = known ?? (await this.#client.get(persistentVolumes, { name: volumeName }));
			const node = this.#cluster.node(nodeName);
			if (node !== undefined && !reachOf(volume)(node))
				throw new Error(`binding volumes: the volume of the claim ${name} is not on ${nodeName}`);
		}
	}

	/**
	 * Cancels the pod's wait.
	 * @returns whether it waited
	 */
	cancel(key: string): boolean {
		const waiting = this.#waiting.get(key);
		waiting?.done(false);
		return waiting !== undefined;
	}

	close(): void {
		for (const { done } of [...this.#waiting.values()]) done(false);
	}

	/** Volumes or claims have changed. */
	changed(): void {
		for (const waiting of [...this.#waiting.values()]) this.#look(waiting);
	}

	#look({ pod, nodeName, chosen, done }: Waiting): void {
		let bound = true;
		for (const name of pod.claimNames) {
			const claim = this.#cluster.volumes.claim(pod.namespace, name);
			if (claim !== undefined && isBound(claim)) continue;
			bound = false;
			const isChosen = claim?.metadata.annotations?.[selectedNodeAnnotation] === nodeName;
			if (isChosen) chosen.add(name);
			else if (claim === undefined || chosen.has(name)) {
				done(false);
				return;
			}
		}
		if (bound) done(true);
	}
}
