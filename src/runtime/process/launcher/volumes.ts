/** The steps that mount a pod's volumes in a container. */
import { closeSync, fstatSync, statSync } from "node:fs";
import { messageOf } from "../../../core/errors.ts";
import { openBeneath } from "../../../linux/beneath.ts";
import { descriptorPath } from "../../../linux/descriptors.ts";
import type { Mount } from "../../runtime.ts";
import { mountAttributes, type Step } from "./plan.ts";

const { readOnly } = mountAttributes;
/** MS_PRIVATE of mount(2). */
const privatePropagation = 1 << 18;

/** Files of an image that a container mounts. */
export interface VolumeFiles {
	/** As in `Mount.image`. */
	id: string;
	/** Digest of the image. */
	image: string;
	/** Directories of its layers, lowest first. */
	layers: readonly string[];
	/** Those of the mounts' sub paths that are files. */
	fileSubPaths: readonly string[];
}

/** A volume whose type may be known before it is there. */
export interface PlacedVolume extends Mount {
	isFile?: boolean;
}

export interface VolumeOptions {
	volumes: readonly PlacedVolume[];
	/** Of images that are mounted as volumes. */
	volumeFiles: readonly VolumeFiles[];
	/** The pod has a user namespace: files of the image and of volumes appear as its users', where this is possible. */
	ownUsers: boolean;
}

/** @param follows all mounts are slaves of the node's, because a volume needs it: the others are made private again */
export function volumeStep(volume: Mount, follows: boolean, devices: number, ownUsers: boolean): Step {
	const { containerPath, propagation } = volume;
	if (propagation === "Bidirectional")
		throw new Error(`mount propagation Bidirectional of ${containerPath} is not supported by the process runtime`);
	const attributes = devices | (volume.readOnly ? readOnly : 0);
	const cutOff = follows && propagation === "None" ? privatePropagation : 0;
	const { root = "", hostPath, subPath = "" } = volume;
	// The owners in layers of images are shifted already.
	const isShifted = ownUsers && volume.image === undefined;
	return ["bind", root, hostPath, subPath, containerPath, attributes, cutOff, isShifted ? "m" : ""];
}

/** The type of its mount point; the launcher checks again what it mounts. */
export function isFile({ root, hostPath, subPath = "", isFile: known }: PlacedVolume): boolean {
	if (known !== undefined) return known;
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

export function isDirectory(path: string): boolean {
	try {
		return statSync(path).isDirectory();
	} catch (error) {
		throw new Error(`${path} cannot be mounted: ${messageOf(error)}`);
	}
}

/** Number of parts of a path. */
export function depth(path: string): number {
	return path.split("/").filter((part) => part !== "").length;
}
