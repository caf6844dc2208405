import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, dirname } from "node:path";
import { isCode } from "../../../linux/descriptors.ts";
import { runTool } from "./tool.ts";

/** Layers may be large, and disks slow. */
const longestMs = 600_000;

/**
 * Directories to be deleted, gone at once and deleted later, many at a time: what was a mount point a moment ago takes
 * the kernel milliseconds to let go. What an agent that was killed left there goes with the next one's.
 */
export class Trash {
	readonly #pending = new Set<string>();
	#emptying: Promise<void> | undefined;

	/** @param places directories that each get a directory `trash`, for what lies two levels below them */
	constructor(places: readonly string[]) {
		for (const place of places) {
			mkdirSync(`${place}/trash`, { recursive: true });
			for (const name of readdirSync(`${place}/trash`)) this.#pending.add(`${place}/trash/${name}`);
		}
		this.#empty();
	}

	/** @param path `PLACE/FOLDER/NAME`, with a name that never comes again; need not exist */
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

	/** Resolves when all that was thrown away is deleted. */
	async emptied(): Promise<void> {
		while (this.#emptying !== undefined) await this.#emptying;
	}

	#empty(): void {
		if (this.#emptying !== undefined || this.#pending.size === 0) return;
		const paths = [...this.#pending];
		this.#pending.clear();
		// What cannot be deleted now is tried again by the next agent.
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
