/** The store of a cluster in a data directory: opens it with encryption, and copies it for snapshots. */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type DurableStore, openLmdbStore } from "../../store/lmdb/lmdb.ts";
import type { Store } from "../../store/store.ts";
import { transformStore } from "../../store/transform.ts";
import { EncryptionAtRest, type EncryptionSettings, readEncryptionFile } from "../encryption/at-rest.ts";
import { syncFile, syncFolder } from "../files/durable-file.ts";
import type { Layout } from "../files/layout.ts";
import { ensureIdentity, readIdentity, type StoreIdentity } from "./store-identity.ts";

export interface ClusterStore {
	/** The store for the API server. */
	store: Store;
	/** The underlying store, with values as they are on disk. */
	disk: DurableStore;
	identity: StoreIdentity;
	atRest: EncryptionAtRest;
	/** For the settings: compared at the next start. Undefined without a configuration. */
	encryption: EncryptionSettings | undefined;
}

/**
 * @param options.encryptionFile absolute path of an EncryptionConfiguration; undefined: Secrets, with the cluster's own
 * key
 * @param options.lastEncryption of the last start
 * @param options.flush as for `openLmdbStore`
 * @param options.wrap wraps the store on disk
 * @throws Error that says what to do if the store is lost, damaged, in use, or cannot be decrypted
 */
export async function openClusterStore(
	layout: Layout,
	options: {
		encryptionFile: string | undefined;
		lastEncryption: EncryptionSettings | undefined;
		flush: boolean;
		wrap?: (store: Store) => Store;
	},
): Promise<ClusterStore> {
	const { encryptionFile, lastEncryption, flush, wrap = (store) => store } = options;
	const found = readIdentity(layout);
	const plan = encryptionFile === undefined ? undefined : readEncryptionFile(encryptionFile);
	const changed = plan?.digest !== lastEncryption?.digest || encryptionFile !== lastEncryption?.file;
	// The previous configuration may no longer exist; then all values must be readable without it.
	const former = changed && lastEncryption !== undefined ? formerPlan(lastEncryption.file) : undefined;
	rmSync(draftOf(layout), { recursive: true, force: true });
	let disk = openLmdbStore({ folder: layout.store, flush });
	try {
		const atRest = new EncryptionAtRest({ pki: layout.pki, plan: plan?.plan, former });
		const identity = ensureIdentity(layout, found);
		const hadPlain = await atRest.prepare(disk, changed);
		if (hadPlain) {
			await disk.compact(await disk.revision());
			await rebuild(layout, disk);
			disk = openLmdbStore({ folder: layout.store, flush });
		}
		const encryption = plan && encryptionFile ? { file: encryptionFile, digest: plan.digest } : undefined;
		return { store: transformStore(wrap(disk), atRest.encryption), disk, identity, atRest, encryption };
	} catch (error) {
		await disk.close();
		throw error;
	}
}

function formerPlan(file: string) {
	try {
		return readEncryptionFile(file).plan;
	} catch {
		return undefined;
	}
}

function draftOf(layout: Layout): string {
	return join(layout.store, "copy");
}

/** Free pages of the file still contain old values; a rebuilt file has none. The store is closed afterwards. */
async function rebuild(layout: Layout, disk: DurableStore): Promise<void> {
	const draft = draftOf(layout);
	mkdirSync(draft, { mode: 0o700 });
	await disk.rebuildIn(draft);
	await disk.close();
	const rebuilt = join(draft, "store/data.mdb");
	syncFile(rebuilt);
	renameSync(rebuilt, layout.storeFile);
	syncFolder(dirname(layout.storeFile));
	rmSync(draft, { recursive: true, force: true });
}
