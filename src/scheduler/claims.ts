/** Volumes that come about only once a pod has a node: choosing the node on the claims, and waiting for the volumes. */
import type { Client } from "../client/client.ts";
import type { Clock, Timer } from "../core/clock.ts";
import { isReason } from "../core/errors.ts";
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
		// Known from the start: the pod may go, or the scheduler stop, while claims are being written.
		const { waiting, bound } = this.#wait(pod, nodeName);
		const isWaiting = () => this.#waiting.get(pod.key) === waiting;
		try {
			for (const claim of claimsToSelect(pod, this.#cluster)) {
				if (!isWaiting()) break;
				if (claim.metadata.annotations?.[selectedNodeAnnotation] === nodeName) continue;
				const { namespace, name, uid } = claim.metadata;
				const metadata = { uid, annotations: { [selectedNodeAnnotation]: nodeName } };
				await this.#client.patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch: { metadata } });
			}
		} catch (error) {
			if (isWaiting()) waiting.done(false);
			throw error;
		}
		if (isWaiting()) this.#look(waiting);
		return bound;
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
	 * Reads the pod's claims afresh: the mirror may still show a bound claim of a name that has been made anew since, and one of that name
	 * without a node would wait for ever once the pod has its own.
	 * @throws Error when one is not bound, ApiError when one cannot be read
	 */
	async confirm(pod: PodInfo): Promise<void> {
		for (const name of pod.claimNames) {
			const claim = await this.#client
				.get(persistentVolumeClaims, { namespace: pod.namespace, name })
				.catch((error: unknown) => {
					// To the caller it would be the pod that is not there.
					if (isReason(error, "NotFound")) return undefined;
					throw error;
				});
			if (claim === undefined || !isBound(claim)) throw new Error(`binding volumes: the claim ${name} is not bound`);
		}
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
