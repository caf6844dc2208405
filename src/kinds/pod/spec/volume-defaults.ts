import type { DownwardAPIVolumeFile, Volume } from "../../generated/types.ts";
import { defaultPullPolicy } from "./pull-policy.ts";

/** The owner may read and write, others may read. */
const fileMode = 0o644;
const tokenLifetimeSeconds = 3600;

/**
 * A volume without a source is an emptyDir; other sources have default modes, expirations and similar fields. In place.
 */
export function setVolumeDefaults(volume: Volume): void {
	if (Object.keys(volume).every((field) => field === "name")) volume.emptyDir = {};
	if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
	if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
	if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
	if (volume.downwardAPI !== undefined) {
		volume.downwardAPI.defaultMode ??= fileMode;
		setFileDefaults(volume.downwardAPI.items);
	}
	if (volume.projected !== undefined) {
		volume.projected.defaultMode ??= fileMode;
		for (const source of volume.projected.sources ?? []) {
			if (source.serviceAccountToken !== undefined)
				source.serviceAccountToken.expirationSeconds ??= tokenLifetimeSeconds;
			setFileDefaults(source.downwardAPI?.items);
		}
	}
	if (volume.ephemeral?.volumeClaimTemplate?.spec !== undefined)
		volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= "Filesystem";
	if (volume.image !== undefined) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? "");
	if (volume.iscsi !== undefined) volume.iscsi.iscsiInterface ||= "default";
}

function setFileDefaults(files: DownwardAPIVolumeFile[] | undefined): void {
	for (const { fieldRef, resourceFieldRef } of files ?? []) {
		if (fieldRef !== undefined) fieldRef.apiVersion ||= "v1";
		if (resourceFieldRef !== undefined) resourceFieldRef.divisor ??= "0";
	}
}
