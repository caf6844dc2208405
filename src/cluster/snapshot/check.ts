import { existsSync } from "node:fs";
import { Encryption } from "../../store/encryption.ts";
import { checkStoreFile, type StoreReport } from "../../store/lmdb/check.ts";
import { readEncryptionFile } from "../encryption/at-rest.ts";
import { readOwnKeys } from "../encryption/key-file.ts";
import { type Layout, layoutOf } from "../files/layout.ts";
import { readSettings } from "../settings/settings.ts";
import { copyStore } from "./copy-store.ts";
import { readSnapshot, type SnapshotHeader } from "./format.ts";
import { scratchFolder } from "./scratch.ts";

const scratchPrefix = "cox-verify-";

/**
 * Checks the store in a data directory that nothing writes to: pages, tables, values, and whether encrypted values can
 * be read with the existing keys.
 * @param keys the data directory with the keys; undefined: encrypted values are not checked
 */
export async function checkStore(file: string, keys: Layout | undefined): Promise<StoreReport> {
	if (!existsSync(file)) throw new Error("it has no store");
	const encryption = keys && encryptionOf(keys);
	return checkStoreFile(file, (key, value) => {
		const isSealed = new Encryption([], []).isSealed(value);
		if (isSealed && encryption === undefined) return;
		const plain = isSealed && encryption ? encryption.open(key, value) : value;
		if (!key.startsWith("/objects/")) return;
		try {
			JSON.parse(Buffer.from(plain).toString());
		} catch {
			throw new Error(`the value of ${key} is no JSON`);
		}
	});
}

function encryptionOf(layout: Layout): Encryption {
	const file = readSettings(layout.settings)?.encryption?.file;
	const configured = file !== undefined && existsSync(file) ? readEncryptionFile(file).plan.keys : [];
	return new Encryption([], [...(readOwnKeys(layout.pki) ?? []), ...configured]);
}

/** Unpacks a snapshot to a temporary folder for the duration of `use`. */
async function unpacked<T>(file: string, near: string, use: (layout: Layout, header: SnapshotHeader) => Promise<T>) {
	using folder = scratchFolder(near, scratchPrefix);
	return await use(layoutOf(folder.path), await readSnapshot(file, folder.path));
}

/** @throws Error if the file is damaged; the report contains problems of the store in it */
export function verifySnapshot(file: string, near: string): Promise<{ header: SnapshotHeader; report: StoreReport }> {
	return unpacked(file, near, async (layout, header) => ({
		header,
		report: await checkStore(layout.storeFile, header.withKeys ? layout : undefined),
	}));
}

/** Checks the store of a cluster, running or not. */
export async function verifyCluster(layout: Layout, near: string): Promise<StoreReport> {
	using folder = scratchFolder(near, scratchPrefix);
	return await checkStore(await copyStore(layout, folder.path), layout);
}

export type { StoreReport };
