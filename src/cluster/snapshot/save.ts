import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { systemClock } from "../../core/time/clock.ts";
import { openLmdbStore } from "../../store/lmdb/lmdb.ts";
import { readIdentity } from "../data/store-identity.ts";
import { keyFile } from "../encryption/key-file.ts";
import { syncFolder } from "../files/durable-file.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import { ensurePrivateFolder } from "../files/private-folder.ts";
import { checkStore } from "./check.ts";
import { copyStore } from "./copy-store.ts";
import { belongs, isSnapshot, type SnapshotHeader, writeSnapshot } from "./format.ts";
import { removeLeftovers, savePrefix, scratchFolder } from "./scratch.ts";

/** The number of attempts if the keys change while the store is copied. */
const attempts = 5;

/**
 * Saves a cluster, running or not, as one file: its store, settings and, with `withKeys`, certificates and keys. The
 * file appears complete, checked and on disk, or not at all.
 * @throws Error that describes what prevents it
 */
export async function saveSnapshot(layout: Layout, file: string, withKeys: boolean): Promise<SnapshotHeader> {
	const target = resolve(file);
	checkTarget(target);
	const identity = readIdentity(layout);
	if (identity === undefined) throw new Error(`there is no cluster in ${layout.data}`);
	ensurePrivateFolder(layout.data);
	using folder = scratchFolder(layout.data, savePrefix);
	const drafts = `${target}.partial-`;
	removeLeftovers(dirname(target), basename(drafts));
	const draft = `${drafts}${process.pid}`;
	try {
		const copy = layoutOf(folder.path);
		await copyAll(layout, copy, withKeys);
		const report = await checkStore(copy.storeFile, withKeys ? copy : layout);
		if (report.problems.length > 0) throw new Error(`the store is damaged: ${report.problems.join("; ")}`);
		const about = {
			clusterId: identity.clusterId,
			revision: report.revision,
			createdAt: new Date(systemClock().now()).toISOString(),
			withKeys,
		};
		// Without the lock file that is created when the store is read.
		const paths = filesBelow(folder.path).filter((path) => belongs(path, withKeys));
		const header = await writeSnapshot(draft, about, folder.path, paths);
		renameSync(draft, target);
		syncFolder(dirname(target));
		return header;
	} finally {
		rmSync(draft, { force: true });
	}
}

/**
 * Only an earlier snapshot may be replaced.
 * @throws Error that describes what prevents it
 */
function checkTarget(target: string): void {
	const folder = dirname(target);
	if (!existsSync(folder)) throw new Error(`there is no directory ${folder} to save in`);
	const stats = lstatSync(target, { throwIfNoEntry: false });
	if (stats === undefined || (stats.isFile() && stats.size === 0)) return;
	if (!stats.isFile()) throw new Error(`${target} exists and is not a regular file; choose another name`);
	if (!isSnapshot(target))
		throw new Error(`${target} exists and is not a cox snapshot; choose another name, or remove it`);
}

async function copyAll(layout: Layout, copy: Layout, withKeys: boolean): Promise<void> {
	const keys = () => (existsSync(keyFile(layout.pki)) ? readFileSync(keyFile(layout.pki), "utf8") : "");
	for (let attempt = 0; ; attempt++) {
		const before = keys();
		await copyWithoutFreePages(layout, copy);
		if (withKeys) {
			mkdirSync(copy.pki, { recursive: true, mode: 0o700 });
			for (const entry of readdirSync(layout.pki, { withFileTypes: true }))
				if (entry.isFile() && !entry.name.endsWith(".new"))
					copyFileSync(join(layout.pki, entry.name), join(copy.pki, entry.name));
		}
		// Keys that changed during the copy might be those that it needs.
		if (keys() === before) break;
		if (attempt === attempts) throw new Error("the keys of Secrets keep changing; try again later");
		rmSync(copy.store, { recursive: true, force: true });
		rmSync(copy.pki, { recursive: true, force: true });
	}
	for (const file of [layout.settings, layout.identity, layout.images])
		if (existsSync(file)) copyFileSync(file, join(copy.data, basename(file)));
}

async function copyWithoutFreePages(layout: Layout, copy: Layout): Promise<void> {
	const raw = `${copy.store}-raw`;
	mkdirSync(join(raw, "store"), { recursive: true, mode: 0o700 });
	await copyStore(layout, join(raw, "store"));
	const store = openLmdbStore({ folder: raw });
	try {
		await store.rebuildIn(copy.store);
	} finally {
		await store.close();
	}
	rmSync(raw, { recursive: true });
	rmSync(join(dirname(copy.storeFile), "lock.mdb"));
}

function filesBelow(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(folder, join(entry.parentPath, entry.name)))
		.sort();
}
