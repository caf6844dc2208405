/** Volumes that come about only once a pod has a node: choosing the node on the claims, and waiting for the volumes. */
import type { Client } from "../client/client.ts";
import type { Clock, Timer } from "../core/clock.ts";
import { persistentVolumeClaims } from "../kinds/persistentvolumeclaim.ts";
import { claimsToSelect, isBound, selectedNodeAnnotation } from "./filters/volumes.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ClusterView } from "./snapshot.ts";

interface Waiting {
	pod: PodInfo;
	nodeName: string;
	/** Claims that have been seen with the node chosen here: if it goes from them, provisioning has failed. */
	chosen: Set<string>;
	timer: Timer;
	done(bound: boolean): void;
}

/** Upstream's bind timeout. */
const patienceMs = 600_000;

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
	 * Writes the node on the pod's claims and waits until they are bound.
	 * @returns false when that failed, took too long, or was cancelled
	 * @throws ApiError when a claim cannot be written
	 */
	async bind(pod: PodInfo, nodeName: string): Promise<boolean> {
		for (const claim of claimsToSelect(pod, this.#cluster)) {
			if (claim.metadata.annotations?.[selectedNodeAnnotation] === nodeName) continue;
			const { namespace, name, uid } = claim.metadata;
			const metadata = { uid, annotations: { [selectedNodeAnnotation]: nodeName } };
			await this.#client.patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch: { metadata } });
		}
		return new Promise((resolve) => {
			const timer = this.#clock.after(patienceMs, () => this.cancel(pod.key));
			const done = (bound: boolean) => {
				timer.cancel();
				this.#waiting.delete(pod.key);
				resolve(bound);
			};
			const waiting = { pod, nodeName, chosen: new Set<string>(), timer, done };
			this.#waiting.set(pod.key, waiting);
			this.#look(waiting);
		});
	}

	/** Whether the pod waits; if so, it does no longer. */
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
