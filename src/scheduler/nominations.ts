/** Pods for which preemption makes room on a node. */
import type { PodInfo } from "./model/pod-info.ts";
import type { Snapshot } from "./model/snapshot.ts";

export class Nominations {
	readonly #nominated = new Map<string, { pod: PodInfo; nodeName: string }>();

	nodeOf(key: string): string | undefined {
		return this.#nominated.get(key)?.nodeName;
	}

	/** @returns pods with lower priority that were nominated for the same node and will not fit there now */
	add(pod: PodInfo, nodeName: string): PodInfo[] {
		const outdated: PodInfo[] = [];
		for (const [key, other] of this.#nominated) {
			if (key === pod.key || other.nodeName !== nodeName || other.pod.priority >= pod.priority) continue;
			this.#nominated.delete(key);
			outdated.push(other.pod);
		}
		this.#nominated.set(pod.key, { pod, nodeName });
		return outdated;
	}

	/** The nomination in the pod's status, for those made before this scheduler started. */
	seen(pod: PodInfo): void {
		const known = this.#nominated.get(pod.key);
		const nodeName = pod.pod.status?.nominatedNodeName;
		if (known !== undefined) known.pod = pod;
		else if (nodeName) this.#nominated.set(pod.key, { pod, nodeName });
	}

	remove(key: string): void {
		this.#nominated.delete(key);
	}

	/** Runs `plan` as if nominated pods that take precedence over `pod` were on their nodes. */
	holding<T>(pod: PodInfo, snapshot: Snapshot, plan: () => T): T {
		const placed: string[] = [];
		for (const [key, other] of this.#nominated) {
			if (key === pod.key || other.pod.priority < pod.priority || snapshot.placed(key) !== undefined) continue;
			snapshot.place(other.pod, other.nodeName);
			placed.push(key);
		}
		try {
			return plan();
		} finally {
			for (const key of placed) snapshot.remove(key);
		}
	}
}
