import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { openLmdbStore } from "../../store/lmdb/lmdb.ts";
import { processesMarked, serverMark, supervisorMark } from "../control/cluster-processes.ts";
import { control, NotRunning } from "../control/control-client.ts";
import { enterData, type RegisterOptions } from "../data/data-directories.ts";
import { syncFile, syncFolder } from "../files/durable-file.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import { checkStore } from "./check.ts";
import { draftName, finishRestore, readyName } from "./finish.ts";
import { readSnapshot, type SnapshotHeader } from "./format.ts";

/**
 * The gap in revisions: larger than the number of writes since the snapshot, so that clients do not see different
 * changes with the same revisions.
 */
export const leftOutRevisions = 100_000_000;

export interface RestoreOptions {
	force: boolean;
	register?: RegisterOptions;
}

/**
 * Restores a snapshot to the data directory of a stopped cluster. Existing data is replaced completely or not at all,
 * even after an interruption; files in volumes are kept.
 * @param options.force also if there is a cluster
 * @param options.register for tests: the register of data directories, and the running clusters
 * @throws Error that describes what prevents it
 */
export async function restoreSnapshot(
	layout: Layout,
	file: string,
	options: RestoreOptions,
): Promise<{ header: SnapshotHeader; revision: number }> {
	// A snapshot contains all keys of a cluster: running containers must not see it unpacked.
	const undo = enterData(layout.data, options.register);
	try {
		return await restoreInto(layout, file, options);
	} catch (error) {
		undo();
		throw error;
	}
}

async function restoreInto(
	layout: Layout,
	file: string,
	options: RestoreOptions,
): Promise<{ header: SnapshotHeader; revision: number }> {
	await checkStopped(layout);
	finishRestore(layout);
	const hasCluster = [layout.settings, layout.identity, layout.storeFile].some(existsSync);
	if (hasCluster && !options.force)
		throw new Error(`${layout.data} has a cluster; --force replaces it; use another --data directory to keep it`);
	const draft = join(layout.data, draftName);
	mkdirSync(draft, { mode: 0o700 });
	try {
		const header = await readSnapshot(file, draft);
		const unpacked = layoutOf(draft);
		const report = await checkStore(unpacked.storeFile, header.withKeys ? unpacked : layout).catch((error: unknown) => {
			throw new Error(`${file}: ${messageOf(error)}`);
		});
		if (report.problems.length > 0) {
			const advice = header.withKeys ? "" : "; it was saved without keys, which must be in the data directory";
			throw new Error(`${file}: ${report.problems.join("; ")}${advice}`);
		}
		const revision = Math.max(report.revision, await presentRevision(layout)) + leftOutRevisions;
		const store = openLmdbStore({ folder: unpacked.store });
		await store.advance(revision);
		await store.close();
		syncFile(unpacked.storeFile);
		await checkStopped(layout);
		for (const folder of [join(unpacked.store, "store"), unpacked.store, draft]) syncFolder(folder);
		renameSync(draft, join(layout.data, readyName));
		syncFolder(layout.data);
		finishRestore(layout);
		return { header, revision };
	} finally {
		rmSync(draft, { recursive: true, force: true });
	}
}

async function checkStopped(layout: Layout): Promise<void> {
	const running = await control(layout, "status").then(
		() => true,
		(error: unknown) => !(error instanceof NotRunning),
	);
	const processes = processesMarked([supervisorMark, serverMark], layout.data);
	if (running || processes.length > 0)
		throw new Error(`the cluster of ${layout.data} is running; run 'cox down' first, then restore`);
}

/** The newest revision of the existing store; 0 if it cannot be read. */
async function presentRevision(layout: Layout): Promise<number> {
	if (!existsSync(layout.storeFile) || readFileSync(layout.storeFile).length === 0) return 0;
	try {
		const store = openLmdbStore({ folder: layout.store });
		const revision = await store.revision();
		await store.close();
		return revision;
	} catch {
		return 0;
	}
}
