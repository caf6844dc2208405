/** The steps that assemble a container's root: a view of the machine's files, with volumes. */

import { closeSync, fstatSync, statSync } from "node:fs";
import { messageOf } from "../../../core/errors.ts";
import { openBeneath } from "../../../linux/beneath.ts";
import { descriptorPath } from "../../../linux/descriptors.ts";
import { type MountEntry, type RootView, showsThrough } from "../../../linux/rootview.ts";
import type { Mount } from "../../runtime.ts";
import type { Credentials } from "./credentials.ts";
import { maskSteps, type SystemMounts, systemSteps } from "./devices.ts";
import { fileSteps, followOnMachine, placeSteps, type ViewPlace } from "./places.ts";
import { mountAttributes, type Step } from "./plan.ts";
import { layerSteps, readOnlySteps, viewSteps } from "./view.ts";

const { readOnly, noSuid, noDevices } = mountAttributes;
/** MS_PRIVATE of mount(2). */
const privatePropagation = 1 << 18;

export interface RootOptions extends SystemMounts {
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
	/** The pod has a user namespace: files of the machine and of volumes appear as its users', where this is possible. */
	ownUsers: boolean;
	hostname: string;
	volumes: readonly Mount[];
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
	const { view, scratch, volumes, privileged, mounts, credentials } = options;
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
	const before: Step[] = layerSteps(place);
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

/** @param follows all mounts are slaves of the node's, because a volume needs it: the others are made private again */
function volumeStep(volume: Mount, follows: boolean, devices: number, ownUsers: boolean): Step {
	const { containerPath, propagation } = volume;
	if (propagation === "Bidirectional")
		throw new Error(`mount propagation Bidirectional of ${containerPath} is not supported by the process runtime`);
	const attributes = devices | (volume.readOnly ? readOnly : 0);
	const cutOff = follows && propagation === "None" ? privatePropagation : 0;
	const { root = "", hostPath, subPath = "" } = volume;
	return ["bind", root, hostPath, subPath, containerPath, attributes, cutOff, ownUsers ? "m" : ""];
}

/** The type of its mount point; the launcher checks again what it mounts. */
function isFile({ root, hostPath, subPath = "" }: Mount): boolean {
	if (root === undefined && subPath === "") return !isDirectory(hostPath);
	try {
		const fd = openBeneath(root ?? hostPath, root === undefined ? "" : hostPath, { links: "root" });
		try {
			// The volume itself may be a file.
			if (subPath === "") return !fstatSync(fd).isDirectory();
			const inner = openBeneath(descriptorPath(fd), subPath, { links: "inside" });
			const isFile = !fstatSync(inner).isDirectory();
			closeSync(inner);
			return isFile;
		} finally {
			closeSync(fd);
		}
	} catch (error) {
		throw new Error(`${hostPath} cannot be mounted: ${messageOf(error)}`);
	}
}

function isDirectory(path: string): boolean {
	try {
		return statSync(path).isDirectory();
	} catch (error) {
		throw new Error(`${path} cannot be mounted: ${messageOf(error)}`);
	}
}

function depth(path: string): number {
	return path.split("/").filter((part) => part !== "").length;
}
