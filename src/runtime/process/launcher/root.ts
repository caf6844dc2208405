/** The steps that assemble a container's root: a view of the machine's files, with volumes. */

import { type MountEntry, type RootView, showsThrough } from "../../../linux/rootview.ts";
import type { Credentials } from "./credentials.ts";
import { maskSteps, type SystemMounts, systemSteps } from "./devices.ts";
import { imageVolumeSteps, placedVolumes } from "./image-volumes.ts";
import { fileSteps, followOnMachine, placeSteps, type ViewPlace } from "./places.ts";
import { mountAttributes, type Step } from "./plan.ts";
import { layerSteps, readOnlySteps, viewSteps } from "./view.ts";
import { depth, isDirectory, isFile, type VolumeOptions, volumeStep } from "./volumes.ts";

const { readOnly, noSuid, noDevices } = mountAttributes;
export interface RootOptions extends SystemMounts, VolumeOptions {
	view: RootView;
	mounts: readonly MountEntry[];
	/** Contains everything of the container that may grow. */
	scratch: string;
	hidden: readonly string[];
	/** Of the machine's users; shown empty. */
	credentials: Credentials;
	/** An empty directory for hiding others. */
	empty: string;
	readOnly: boolean;
	/** Overlays in user namespaces keep their attributes elsewhere. */
	rootless: boolean;
	hostname: string;
	/** Directories that are initially empty. */
	emptyDirectories: readonly string[];
	/** Files of the machine that are mounted read-only. */
	tools: readonly { source: string; path: string }[];
}

/**
 * All steps from a new mount namespace to the changed root.
 * @throws Error for a mount that is not possible
 */
export function rootSteps(options: RootOptions): Step[] {
	const { view, scratch, privileged, mounts, credentials } = options;
	const volumes = placedVolumes(options.volumes, options);
	const images = imageVolumeSteps(options, options.rootless);
	const own = [
		{ path: "/run", mode: 0o755, uid: 0, gid: 0 },
		{ path: "/tmp", mode: 0o1777, uid: 0, gid: 0 },
		...credentials.homes,
		...options.emptyDirectories
			.filter((path) => !volumes.some((volume) => volume.containerPath === path))
			.map((path) => ({ path, mode: 0o755, uid: 0, gid: 0 })),
	];
	const place: ViewPlace = {
		view,
		target: `${scratch}/root`,
		scratch,
		covered: ["/proc", "/sys", "/dev", "/run", "/tmp"],
	};
	// Outer paths first, regardless of their order, so that none hides another.
	const ordered = volumes.toSorted((a, b) => depth(a.containerPath) - depth(b.containerPath));
	const before: Step[] = [...layerSteps(place), ...images.directories];
	const after: Step[] = [];
	const put = (path: string, isFile: boolean, step: Step) => {
		before.push(...placeSteps(place, path, isFile));
		after.push(step);
		place.covered = [...place.covered, followOnMachine(path, place.covered)];
	};
	const devices = privileged ? 0 : noDevices;
	for (const { path, mode, uid, gid } of own) {
		const source = `${scratch}/own${path}`;
		before.push(["directory", source, mode, uid, gid]);
		// It is inside one that is mounted.
		if (credentials.homes.some((home) => path.startsWith(`${home.path}/`))) continue;
		put(path, false, ["bind", "", source, "", path, devices, 0, ""]);
	}
	for (const path of options.hidden) if (showsThrough(view, mounts, path)) after.push(["mask", path, options.empty]);
	for (const tool of options.tools)
		put(tool.path, !isDirectory(tool.source), [
			"bind",
			"",
			tool.source,
			"",
			tool.path,
			readOnly | noSuid | devices,
			0,
			"",
		]);
	const follows = volumes.some((volume) => volume.propagation === "HostToContainer");
	if (!volumes.some((volume) => volume.containerPath === "/etc/hostname"))
		before.push(...fileSteps(place, "/etc/hostname", `${options.hostname}\n`));
	for (const volume of ordered)
		put(volume.containerPath, isFile(volume), volumeStep(volume, follows, devices, options.ownUsers));
	return [
		...before,
		["propagation", follows ? "slave" : "private"],
		...images.mounts,
		...viewSteps(place, { devices: privileged, ownUsers: options.ownUsers }),
		...systemSteps(options),
		...after,
		...maskSteps(options, options.empty),
		...(options.readOnly ? [...readOnlySteps(view), ...ownReadOnly(options)] : []),
		["pivot"],
	];
}

/** A read-only root has no writable places except volumes. */
function ownReadOnly({ volumes, credentials }: RootOptions): Step[] {
	const own = ["/run", "/tmp", ...credentials.homes.map(({ path }) => path).filter((path) => depth(path) === 1)];
	const covered = volumes.map(({ containerPath }) => followOnMachine(containerPath, own));
	return own.filter((path) => !covered.includes(path)).map((path) => ["attributes", path, readOnly]);
}
