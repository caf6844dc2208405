/** Finds the directory of a claim's volume. */
import type { Client } from "../../client/client.ts";
import { isReason } from "../../core/errors.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { isLocalVolume } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { VolumeError } from "../context/node-context.ts";

export interface ClaimDirectory {
	/** Path in the node's own view. */
	path: string;
	/** A provisioned local volume: the agent creates the directory. */
	provisioned: boolean;
	/** As in a hostPath volume; undefined: it must exist. */
	type?: string;
	readOnly: boolean;
}

/**
 * @throws VolumeError while the claim does not exist or is not bound, and for volumes that are not directories of this
 * node
 */
export async function claimDirectory(client: Client, namespace: string, name: string): Promise<ClaimDirectory> {
	const claim = await find(() => client.get(persistentVolumeClaims, { namespace, name }));
	const pending = { pending: true };
	if (claim === undefined) throw new VolumeError(`persistentvolumeclaim "${name}" not found`, pending);
	const volumeName = claim.spec?.volumeName;
	if (volumeName === undefined || volumeName === "" || claim.status?.phase !== "Bound") {
		throw new VolumeError(`error processing PVC ${namespace}/${name}: PVC is not bound`, pending);
	}
	const volume = await find(() => client.get(persistentVolumes, { name: volumeName }));
	if (volume === undefined) throw new VolumeError(`persistentvolume "${volumeName}" not found`, pending);
	requireBoundTo(volume, claim);
	return directoryOf(volume);
}

function requireBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): void {
	const bound = volume.spec?.claimRef?.uid;
	if (bound === undefined || bound === claim.metadata.uid) return;
	const { namespace, name } = claim.metadata;
	throw new VolumeError(
		`persistentvolume "${volume.metadata.name}" is bound to another claim than ${namespace}/${name}`,
	);
}

function directoryOf(volume: PersistentVolume): ClaimDirectory {
	const { metadata, spec } = volume;
	const refused = (what: string) =>
		new VolumeError(`persistentvolume "${metadata.name}": ${what} is not supported by this node`);
	const readOnly = spec?.accessModes?.length === 1 && spec.accessModes[0] === "ReadOnlyMany";
	if (spec?.volumeMode === "Block") throw refused("volumeMode Block");
	if (spec?.local !== undefined) return { path: spec.local.path, provisioned: isLocalVolume(volume), readOnly };
	if (spec?.hostPath !== undefined) {
		const { path, type = "" } = spec.hostPath;
		return { path, provisioned: false, readOnly, type };
	}
	const type =
		spec?.csi === undefined ? "a volume that is neither local nor hostPath" : `CSI driver ${spec.csi.driver}`;
	throw refused(type);
}

async function find<T>(get: () => Promise<T>): Promise<T | undefined> {
	try {
		return await get();
	} catch (error) {
		if (isReason(error, "NotFound")) return undefined;
		throw error;
	}
}
