/** Static pods: a node runs them from files of its own, and shows them in the API as mirror pods. Pure. */
import type { Pod } from "../generated/types.ts";

/** On a mirror pod: the hash of the file's pod. */
export const mirrorAnnotation = "kubernetes.io/config.mirror";
/** Where the node has a pod from: `file`, or `api`. */
export const sourceAnnotation = "kubernetes.io/config.source";
export const hashAnnotation = "kubernetes.io/config.hash";

export function isMirrorPod({ metadata }: Pick<Pod, "metadata">): boolean {
	return metadata.annotations?.[mirrorAnnotation] !== undefined;
}

/** From a file, or its mirror pod. */
export function isStaticPod({ metadata }: Pick<Pod, "metadata">): boolean {
	const source = metadata.annotations?.[sourceAnnotation];
	return source !== undefined && source !== "api";
}
