/**
 * Volumes whose paths their users may change at any time: a runtime that follows a path could be led out of the volume
 * between its check and its mount. Therefore what was checked is mounted at a place that nobody else can change, by its
 * descriptor, and the runtime mounts that.
 */
import { closeSync, fstatSync, mkdirSync, writeFileSync } from "node:fs";
import { rmdir, unlink } from "node:fs/promises";
import { messageOf } from "../../core/errors.ts";
import { openBeneath } from "../../linux/beneath.ts";
import { run } from "../../linux/command.ts";
import { descriptorPath } from "../../linux/descriptors.ts";
import { namesIn } from "../../linux/if-there.ts";
import type { Container, Mount } from "../runtime.ts";

/** A container, before the runtime has given it an ID, too. */
export interface PinOwner {
	sandboxId: string;
	name: string;
	attempt: number;
}

export function pinOwner({ sandboxId, config: { name, attempt } }: Container): PinOwner {
	return { sandboxId, name, attempt };
}

export class PinnedMounts {
	readonly #directory: string;

	/** @param directory absolute */
	constructor(directory: string) {
		this.#directory = directory;
	}

	/**
	 * The mounts, without `root` and `subPath`. Until `release`.
	 * @throws Error for a path that leads out
	 */
	async pin(owner: PinOwner, mounts: readonly Mount[]): Promise<Mount[]> {
		const pinned: Mount[] = [];
		await this.release(owner);
		for (const [at, mount] of mounts.entries()) {
			const { root, subPath = "", ...plain } = mount;
			if (mount.image !== undefined) throw new Error("image volumes are not supported by nodes with containerd");
			if (root === undefined && subPath === "") pinned.push(plain);
			else pinned.push({ ...plain, hostPath: await this.#pinOne(`${this.#place(owner)}/${at}`, mount) });
		}
		return pinned;
	}

	async release(owner: PinOwner): Promise<void> {
		await this.#remove(this.#place(owner));
	}

	/** Releases what other containers had, which are gone. */
	async keepOnly(owners: readonly PinOwner[]): Promise<void> {
		const kept = new Set(owners.map((owner) => this.#place(owner)));
		for (const name of namesIn(this.#directory)) {
			const place = `${this.#directory}/${name}`;
			if (!kept.has(place)) await this.#remove(place);
		}
	}

	#place({ sandboxId, name, attempt }: PinOwner): string {
		return `${this.#directory}/${sandboxId}-${name}-${attempt}`;
	}

	/** @returns the place */
	async #pinOne(place: string, { hostPath, root, subPath = "", propagation }: Mount): Promise<string> {
		let fd: number | undefined;
		try {
			fd = openBeneath(root ?? hostPath, root === undefined ? "" : hostPath, { links: "root" });
			if (subPath !== "") {
				const outer = fd;
				fd = undefined;
				try {
					fd = openBeneath(descriptorPath(outer), subPath, { links: "inside" });
				} finally {
					closeSync(outer);
				}
			}
			const isDirectory = fstatSync(fd).isDirectory();
			mkdirSync(isDirectory ? place : place.slice(0, place.lastIndexOf("/")), { recursive: true, mode: 0o700 });
			if (!isDirectory) writeFileSync(place, "");
			// The path of the descriptor itself, not where it leads to now.
			const source = `/proc/${process.pid}/fd/${fd}`;
			if (propagation === "Bidirectional") await run(["mount", "--no-canonicalize", "--bind", source, place]);
			else {
				await run(["mount", "--no-canonicalize", "--rbind", source, place]);
				// Otherwise its end would unmount what is mounted in the volume.
				await run(["mount", "--make-rslave", place]);
			}
			return place;
		} catch (error) {
			throw new Error(`${hostPath} cannot be mounted: ${messageOf(error)}`);
		} finally {
			if (fd !== undefined) closeSync(fd);
		}
	}

	async #remove(place: string): Promise<void> {
		for (const name of namesIn(place)) {
			const at = `${place}/${name}`;
			await run(["umount", "--lazy", at]).catch(() => {});
			// Never what is in it: it may still be mounted.
			await rmdir(at).catch(() => unlink(at).catch(() => {}));
		}
		await rmdir(place).catch(() => {});
	}
}
