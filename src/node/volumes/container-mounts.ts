/** The volume mounts of one container, from its spec. */

import { closeSync, fstatSync } from "node:fs";
import { normalize } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { Container as ContainerSpec, Pod, VolumeMount } from "../../kinds/generated/types.ts";
import { LeavesDirectory, openBeneath } from "../../linux/beneath.ts";
import { descriptorPath, isCode } from "../../linux/descriptors.ts";
import type { Mount } from "../../runtime/runtime.ts";
import { ConfigError, type MountContext } from "../context/node-context.ts";
import { expand } from "../pod/environment/expansion.ts";
import { openVolume, type PodVolumes, type VolumePath } from "./pod-volumes.ts";

/** @throws ConfigError for mounts that are not possible; VolumeError for volumes */
export async function volumeMounts(
	volumes: PodVolumes,
	pod: Pod,
	container: ContainerSpec,
	{ env, volumeImages }: Pick<MountContext, "env" | "volumeImages">,
): Promise<Mount[]> {
	const mounts: Mount[] = [];
	for (const mount of container.volumeMounts ?? []) {
		const volume = await volumes.path(pod, mount.name);
		if (volume === undefined)
			throw new ConfigError(`volume "${mount.name}" of container ${container.name} is not in the pod`);
		if (mount.recursiveReadOnly === "Enabled") {
			throw new ConfigError(`volume "${mount.name}": recursiveReadOnly is not supported by this node`);
		}
		const subPath = subPathOf(mount, env);
		const image = volumeImages.get(mount.name);
		if (subPath !== "" && image === undefined) prepareSubPath(volume, mount.name, subPath);
		mounts.push({
			hostPath: volume.path,
			...(image === undefined ? {} : { image }),
			...(volume.root === undefined ? {} : { root: volume.root }),
			...(subPath === "" ? {} : { subPath }),
			containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
			readOnly: volume.readOnly || mount.readOnly === true,
			propagation: propagationOf(mount),
		});
	}
	return mounts;
}

function subPathOf(mount: VolumeMount, env: readonly { name: string; value: string }[]): string {
	if (mount.subPathExpr === undefined || mount.subPathExpr === "") return mount.subPath ?? "";
	const values = new Map(env.map(({ name, value }) => [name, value]));
	const subPath = expand(mount.subPathExpr, (name) => values.get(name));
	if (subPath.includes("$(")) throw new ConfigError(`missing value for ${mount.subPathExpr}`);
	return subPath;
}

/**
 * Creates what is missing, and rejects early what the runtime would reject when mounting, whose check is the one that
 * counts.
 */
function prepareSubPath(volume: VolumePath, name: string, subPath: string): void {
	const failed = (why: string) => new ConfigError(`failed to prepare subPath for volumeMount "${name}": ${why}`);
	const leaves = `subPath "${subPath}" leaves the volume`;
	if (subPath.startsWith("/") || normalize(subPath).split("/").includes("..")) throw failed(leaves);
	const root = openVolume(volume);
	try {
		// With the mode of the volume itself, as upstream.
		const make = volume.readOnly ? {} : { make: "directory" as const, mode: fstatSync(root).mode & 0o7777 };
		closeSync(openBeneath(descriptorPath(root), subPath, { links: "inside", ...make }));
	} catch (error) {
		if (error instanceof LeavesDirectory) throw failed(leaves);
		throw failed(isCode(error, "ENOENT") ? `${subPath} does not exist` : `${subPath}: ${messageOf(error)}`);
	} finally {
		closeSync(root);
	}
}

function propagationOf({ mountPropagation }: VolumeMount): Mount["propagation"] {
	return mountPropagation === "HostToContainer" || mountPropagation === "Bidirectional" ? mountPropagation : "None";
}
