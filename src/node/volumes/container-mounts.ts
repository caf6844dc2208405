/** What is mounted into one container: its volumes, as its spec says. */
import { mkdir, realpath } from "node:fs/promises";
import { join, normalize } from "node:path";
import type { Container as ContainerSpec, Pod, VolumeMount } from "../../kinds/generated/types.ts";
import type { Mount } from "../../runtime/runtime.ts";
import { expand } from "../expansion.ts";
import { ConfigError } from "../node-context.ts";
import { exists } from "./host-path.ts";
import type { PodVolumes, VolumePath } from "./pod-volumes.ts";

/** @throws ConfigError for mounts that cannot be had; VolumeError for volumes */
export async function volumeMounts(
	volumes: PodVolumes,
	pod: Pod,
	container: ContainerSpec,
	env: readonly { name: string; value: string }[],
): Promise<Mount[]> {
	const mounts: Mount[] = [];
	for (const mount of container.volumeMounts ?? []) {
		const volume = await volumes.path(pod, mount.name);
		if (volume === undefined)
			throw new ConfigError(`volume "${mount.name}" of container ${container.name} is not in the pod`);
		if (mount.recursiveReadOnly === "Enabled") {
			throw new ConfigError(`volume "${mount.name}": recursiveReadOnly is not supported by this node`);
		}
		mounts.push({
			hostPath: await hostPathOf(volume, mount, env),
			containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
			readOnly: volume.readOnly || mount.readOnly === true,
			propagation: propagationOf(mount),
		});
	}
	return mounts;
}

async function hostPathOf(
	volume: VolumePath,
	mount: VolumeMount,
	env: readonly { name: string; value: string }[],
): Promise<string> {
	const values = new Map(env.map(({ name, value }) => [name, value]));
	let subPath = mount.subPath ?? "";
	if (mount.subPathExpr !== undefined && mount.subPathExpr !== "") {
		subPath = expand(mount.subPathExpr, (name) => values.get(name));
		if (subPath.includes("$(")) throw new ConfigError(`missing value for ${mount.subPathExpr}`);
	}
	if (subPath === "") return volume.path;
	if (subPath.startsWith("/") || normalize(subPath).split("/").includes("..")) {
		throw new ConfigError(
			`failed to prepare subPath for volumeMount "${mount.name}": subPath "${subPath}" leaves the volume`,
		);
	}
	const path = join(volume.path, subPath);
	if (!(await exists(path))) {
		if (volume.readOnly)
			throw new ConfigError(`failed to prepare subPath for volumeMount "${mount.name}": ${subPath} does not exist`);
		await mkdir(path, { recursive: true, mode: 0o777 });
	}
	// A link inside the volume must not lead out of it.
	const [root, real] = await Promise.all([realpath(volume.path), realpath(path)]);
	if (real !== root && !real.startsWith(`${root}/`)) {
		throw new ConfigError(
			`failed to prepare subPath for volumeMount "${mount.name}": subPath "${subPath}" leaves the volume`,
		);
	}
	return real;
}

function propagationOf({ mountPropagation }: VolumeMount): Mount["propagation"] {
	return mountPropagation === "HostToContainer" || mountPropagation === "Bidirectional" ? mountPropagation : "None";
}
