/** Which pods belong together, for default spreading. */
import type { LabelSelector, Pod } from "../../kinds/generated/types.ts";

export interface Workloads {
	/** Selects the pods of the services and the workload that the pod belongs to; undefined if it belongs to none. */
	selectorFor(pod: Pod): LabelSelector | undefined;
}

export const noWorkloads: Workloads = { selectorFor: () => undefined };
