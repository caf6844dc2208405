/** Describes a data directory's store in a separate file, so that a lost store is not mistaken for a new one. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { writeDurably } from "../files/durable-file.ts";
import type { Layout } from "../files/layout.ts";

export interface StoreIdentity {
	/** Created with the cluster; its snapshots contain it. */
	clusterId: string;
	/** Format of the files in the data directory. */
	format: number;
}

/** The format of data directories that this version writes. It reads older ones. */
const dataFormat = 1;

/**
 * The identity of the data directory's store; undefined if there has never been one.
 * @throws Error that says what to do if the store is lost, or was written by a newer version
 */
export function readIdentity(layout: Layout): StoreIdentity | undefined {
	const identity = parseIdentity(layout);
	if (identity !== undefined && identity.format > dataFormat)
		throw new Error(
			`${layout.data} was written by a newer version of cox (format ${identity.format}, this one reads up to ${dataFormat}); use that version`,
		);
	const hadCluster = identity !== undefined || existsSync(layout.settings);
	const file = layout.storeFile;
	const problem = !existsSync(file) ? "is missing" : statSync(file).size === 0 ? "is empty" : undefined;
	if (hadCluster && problem !== undefined)
		throw new Error(`${file} ${problem}, though ${layout.data} had a cluster; ${remedy}`);
	return identity;
}

/** What to do about an unusable store. */
export const remedy =
	"put the file back, restore a snapshot ('cox snapshot restore FILE --force'), or give up what was in it ('cox reset')";

function parseIdentity({ identity: file }: Layout): StoreIdentity | undefined {
	if (!existsSync(file)) return undefined;
	try {
		const { clusterId, format } = JSON.parse(readFileSync(file, "utf8"));
		if (typeof clusterId === "string" && typeof format === "number") return { clusterId, format };
	} catch {
		// It contains nothing usable.
	}
	throw new Error(`${file} is damaged; delete it to continue with the existing store`);
}

/** For a store that was opened for the first time, or created by an earlier version. */
export function ensureIdentity(layout: Layout, found: StoreIdentity | undefined): StoreIdentity {
	if (found !== undefined && found.format === dataFormat) return found;
	const identity = { clusterId: found?.clusterId ?? randomUUID(), format: dataFormat };
	writeDurably(layout.identity, `${JSON.stringify(identity)}\n`);
	return identity;
}
