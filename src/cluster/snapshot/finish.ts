import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "../files/durable-file.ts";
import type { Layout } from "../files/layout.ts";
import { removeLeftovers, savePrefix } from "./scratch.ts";

/** Being unpacked; useless after an interruption. */
export const draftName = "restore.new";
/** Complete and verified: it replaces the existing data, now or at the next start. */
export const readyName = "restore.ready";

/** Completes a restore that was ready, and removes what killed commands left behind. Does nothing otherwise. */
export function finishRestore({ data }: Layout): void {
	if (!existsSync(data)) return;
	removeLeftovers(data, savePrefix);
	rmSync(join(data, draftName), { recursive: true, force: true });
	const ready = join(data, readyName);
	if (!existsSync(ready)) return;
	// Moved entries are no longer in it: this may be interrupted and repeated.
	for (const name of readdirSync(ready)) {
		rmSync(join(data, name), { recursive: true, force: true });
		renameSync(join(ready, name), join(data, name));
	}
	syncFolder(data);
	rmSync(ready, { recursive: true, force: true });
}
