/** How an agent learns of its pods: with its own watch, or with one that all simulated nodes of a process share. */
import type { Informer, InformerCache } from "../client/informer-cache.ts";
import type { Pod } from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod/pod.ts";

/** `undefined`: the pod no longer exists on the node. */
export type PodListener = (current: Pod | undefined, last: Pod) => void;

export interface PodSource {
	/** Reports existing pods first. Resolves when all of them have been reported. */
	subscribe(nodeName: string, listener: PodListener): Promise<void>;
	unsubscribe(nodeName: string): void;
}

/** Watches only the pods of one node, by field selector. */
export function nodePodSource(informers: InformerCache, nodeName: string): PodSource {
	return sharedPodSource(informers, podsOfNode(informers, nodeName));
}

export function podsOfNode(informers: InformerCache, nodeName: string): Informer<Pod> {
	return informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
}

/** One informer for all nodes: nodes without changes cost nothing. */
export function sharedPodSource(informers: InformerCache, informer: Informer<Pod> = informers.of(pods)): PodSource {
	const listeners = new Map<string, PodListener>();
	const byNode = new Map<string, Map<string, Pod>>();
	informer.onChange((current, old) => {
		const oldNode = old?.spec.nodeName;
		const replaced = old !== undefined && (current === undefined || current.metadata.uid !== old.metadata.uid);
		if (replaced && oldNode !== undefined) {
			byNode.get(oldNode)?.delete(old.metadata.uid);
			listeners.get(oldNode)?.(undefined, old);
		}
		const node = current?.spec.nodeName;
		if (current === undefined || node === undefined || node === "") return;
		const known = byNode.get(node) ?? new Map<string, Pod>();
		byNode.set(node, known);
		known.set(current.metadata.uid, current);
		listeners.get(node)?.(current, current);
	});
	return {
		async subscribe(nodeName, listener) {
			await informers.synced();
			for (const pod of byNode.get(nodeName)?.values() ?? []) listener(pod, pod);
			listeners.set(nodeName, listener);
		},
		unsubscribe(nodeName) {
			listeners.delete(nodeName);
		},
	};
}
