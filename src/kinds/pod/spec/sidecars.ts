import type { Container, PodSpec } from "../../generated/types.ts";

/** True for a sidecar: an init container that runs on beside the others. */
export function isSidecar({ restartPolicy }: Pick<Container, "restartPolicy">): boolean {
	return restartPolicy === "Always";
}

/** The pod's sidecars, in the order in which they start. */
export function sidecarsOf({ initContainers }: Pick<PodSpec, "initContainers">): readonly Container[] {
	return initContainers?.filter(isSidecar) ?? [];
}
