import type { Container, PodSpec } from "../../generated/types.ts";

/** Whether it is a sidecar: an init container that keeps running beside the others. */
export function isSidecar({ restartPolicy }: Pick<Container, "restartPolicy">): boolean {
	return restartPolicy === "Always";
}

/** The pod's sidecars, in the order in which they start. */
export function sidecarsOf({ initContainers }: Pick<PodSpec, "initContainers">): readonly Container[] {
	return initContainers?.filter(isSidecar) ?? [];
}
