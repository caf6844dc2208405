import type { PodInfo } from "./model/pod-info.ts";
import type { ClusterView } from "./model/snapshot.ts";
import { mayHaveRoom, mayRunOn } from "./plan.ts";
import type { SchedulingQueue } from "./queue.ts";

/** Tries waiting pods one by one when there is room on a node. */
export class Room {
	readonly #queue: SchedulingQueue;
	readonly #cluster: ClusterView;
	/** The node of each pod that is tried because there is room on it, by the pod's key. */
	readonly #filling = new Map<string, string>();

	constructor(queue: SchedulingQueue, cluster: ClusterView) {
		this.#queue = queue;
		this.#cluster = cluster;
	}

	/** A pod has left the node. The pod that takes its place triggers a check whether there is more room. */
	isOn(nodeName: string): void {
		this.#queue.wakeOthers();
		this.#fill(nodeName);
	}

	/** The pod that was to take the room has a node or was deleted: the rest is for the next pod. */
	filled(key: string): void {
		const nodeName = this.#filling.get(key);
		if (nodeName === undefined) return;
		this.#filling.delete(key);
		this.#fill(nodeName);
	}

	/** The pod could not take the room. */
	refused(key: string): void {
		this.#filling.delete(key);
	}

	#fill(nodeName: string): void {
		const pod = this.#queue.wakeFirst(
			(waiting: PodInfo) => mayHaveRoom(waiting, nodeName, this.#cluster),
			(waiting: PodInfo) => mayRunOn(waiting, nodeName, this.#cluster),
		);
		if (pod !== undefined) this.#filling.set(pod.key, nodeName);
	}
}
