/**
 * The steps that assemble a container's root from the layers of an image. Nothing in the image is trusted: mount points
 * are made in the mounted file system, where the launcher follows no link out of it, and /proc, /sys and /dev are
 * directories of the container's own, whatever the image has in their place.
 */
import { maskSteps, type SystemMounts, systemSteps } from "./devices.ts";
import { imageVolumeSteps, placedVolumes } from "./image-volumes.ts";
import { escaped } from "./overlay-options.ts";
import { mountAttributes, type Step } from "./plan.ts";
import { depth, type VolumeOptions, volumeStep } from "./volumes.ts";

const { readOnly, noDevices } = mountAttributes;
/** MS_NODEV of mount(2). */
const withoutDevices = 4;
/** Relative to the directory in which the launcher works: options of overlays have to fit in one page. */
const links = "l";

/** Files of a stored image. */
export interface RunFiles {
	/** Digest of the image. */
	image: string;
	/** Directories of its layers, lowest first. */
	layers: readonly string[];
	/** Directories with modes and owners that the layers do not show. */
	directories: readonly { path: string; mode: number; uid: number; gid: number }[];
	/** Directories that it declares as volumes. */
	volumes: readonly string[];
}

export interface ImageRootOptions extends SystemMounts, VolumeOptions {
	files: RunFiles;
	/** Contains everything of the container that may grow. */
	scratch: string;
	/** An empty directory for hiding others. */
	empty: string;
	readOnly: boolean;
	/** Overlays in user namespaces keep their attributes elsewhere. */
	rootless: boolean;
	hostname: string;
	/** Directories that stay writable in a read-only root: those that the image declares as volumes. */
	volumeDirectories: readonly string[];
}

/** Links that the directory of the container needs: paths below it, and their targets. */
export function layerLinks({
	files,
	ownUsers,
	scratch,
}: Pick<ImageRootOptions, "files" | "ownUsers" | "scratch">): [string, string][] {
	return files.layers.map((layer, at) => [`${links}/${at}`, ownUsers ? `${scratch}/lower/${at}` : layer]);
}

/**
 * All steps from a new mount namespace to the changed root.
 * @throws Error for a mount that is not possible
 */
export function imageRootSteps(options: ImageRootOptions): Step[] {
	const { files, scratch, privileged, ownUsers } = options;
	const volumes = placedVolumes(options.volumes, options);
	const images = imageVolumeSteps(options, options.rootless);
	const target = `${scratch}/root`;
	const [upper, work] = [`${scratch}/upper`, `${scratch}/work`];
	const directory = (path: string, mode = 0o755, uid = 0, gid = 0): Step => ["directory", path, mode, uid, gid];
	const devices = privileged ? 0 : noDevices;
	const follows = volumes.some((volume) => volume.propagation === "HostToContainer");
	// Upper layers first.
	const lower = files.layers.map((_layer, at) => `${links}/${at}`).reverse();
	const overlay = `lowerdir=${lower.join(":")},upperdir=${escaped(upper)},workdir=${escaped(work)}${options.rootless ? ",userxattr" : ""}`;
	const steps: Step[] = [directory(target), directory(upper), directory(work), ...images.directories];
	for (const path of ["/proc", "/sys", "/dev"]) steps.push(directory(upper + path));
	for (const { path, mode, uid, gid } of files.directories) steps.push(directory(`${upper}/${path}`, mode, uid, gid));
	if (ownUsers)
		for (const [at, layer] of files.layers.entries()) steps.push(["shift", layer, `${scratch}/lower/${at}`]);
	steps.push(["propagation", follows ? "slave" : "private"], ...images.mounts);
	steps.push(["overlay", target, devices === 0 ? 0 : withoutDevices, overlay], ["root", target]);
	if (!volumes.some(({ containerPath }) => containerPath === "/etc/hostname"))
		steps.push(["file", "/etc/hostname", `${options.hostname}\n`]);
	steps.push(...systemSteps(options));
	if (options.readOnly)
		// A mount of its own stays writable.
		for (const path of options.volumeDirectories) steps.push(directory(path), ["cover", path, devices]);
	// Outer paths first, regardless of their order, so that none hides another.
	for (const volume of volumes.toSorted((a, b) => depth(a.containerPath) - depth(b.containerPath)))
		steps.push(volumeStep(volume, follows, devices, ownUsers));
	steps.push(...maskSteps(options, options.empty));
	if (options.readOnly) steps.push(["attributes", "/", readOnly]);
	steps.push(["pivot"]);
	return steps;
}
