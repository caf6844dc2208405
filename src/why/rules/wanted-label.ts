import type { PodSpec } from "../../kinds/generated/types.ts";

/** The label that a nodeSelector asks for, as `kubectl label` takes it; empty if an affinity asks for others, too. */
export function wantedLabel({ nodeSelector = {}, affinity }: Pick<PodSpec, "nodeSelector" | "affinity"> = {}): string {
	if (affinity?.nodeAffinity !== undefined) return "";
	return Object.entries(nodeSelector)
		.map(([key, value]) => `${key}=${value}`)
		.join(" ");
}
