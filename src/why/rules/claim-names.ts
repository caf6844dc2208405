import type { Pod } from "../../kinds/generated/types.ts";

/** The claims that the pod's volumes use; those of ephemeral volumes are named after the pod. */
export function claimNamesOf({ metadata, spec }: Pod): string[] {
	return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
		if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
		return ephemeral === undefined ? [] : [`${metadata.name}-${name}`];
	});
}
