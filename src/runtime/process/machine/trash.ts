import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isCode } from "../../../linux/descriptors.ts";
import { runTool } from "./tool.ts";

/** Layers may be large, and disks slow. */
const longestMs = 600_000;

/**
 * Deletes directories in the background: they are moved away immediately and deleted later, many at a time, because the
 * kernel needs milliseconds to release a recent mount point. The next agent deletes what a killed one has left.
 */
export class Trash {
	readonly #pending = new Set<string>();
	#emptying: Promise<void> | undefined;

	/** @param places directories that each get a directory `trash`, for entries two levels below them */
	constructor(places: readonly string[]) {
		for (const place of places) {
			mkdirSync(`${place}/trash`, { recursive: true });
			for (const name of readdirSync(`${place}/trash`)) this.#pending.add(`${place}/trash/${name}`);
		}
		this.#empty();
	}

	/** @param path `PLACE/FOLDER/NAME`, with a name that is never reused; need not exist */
	discard(path: string): void {
		const target = `${dirname(dirname(path))}/trash/${basename(path)}`;
		try {
			renameSync(path, target);
		} catch (error) {
			if (isCode(error, "ENOENT")) return;
			throw error;
		}
		this.#pending.add(target);
		this.#empty();
	}

	/** Resolves when everything has been deleted. */
	async emptied(): Promise<void> {
		while (this.#emptying !== undefined) await this.#emptying;
	}

	#empty(): void {
		if (this.#emptying !== undefined || this.#pending.size === 0) return;
		const paths = [...this.#pending];
		this.#pending.clear();
		// The next agent retries what cannot be deleted now.
		this.#emptying = runTool("rm", ["-rf", "--", ...paths], longestMs).then(
			() => this.#next(),
			() => this.#next(),
		);
	}

	#next(): void {
		this.#emptying = undefined;
		this.#empty();
	}
}
