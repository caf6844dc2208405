/**
 * The entries of a cluster in its data directory. All other files belong to users: they are neither used nor deleted.
 */
import { accessSync, constants, existsSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../linux/command.ts";
import { isCode } from "../../linux/descriptors.ts";
import { layoutOf } from "../files/layout.ts";

/** A name with `.new` is a file that is being replaced; an audit log with a time was rotated. */
const ownEntry =
	/^(cluster\.json|holder\.key|images|images\.yaml|registries\.yaml|kubeconfig(-.+)?|kubectl-cache|manifests|nodes|pki|run|seccomp|server\.(log|pid)|store|store\.json|audit(-[-\d.T]+)?\.log|restore\.(new|ready)|snapshot-\d.*)(\.new)?$/;
const longestDeletionMs = 600_000;
/** An entry at the root of file systems. */
const systemEntry = "lost+found";

/**
 * Refuses to create a cluster in a directory with other files, because `cox reset` would delete them.
 * @throws Error if it contains files of others, and no cluster
 */
export function refuseForeignFolder(data: string): void {
	const { settings, identity } = layoutOf(data);
	if (!existsSync(data) || [settings, identity].some(existsSync)) return;
	const foreign = foreignEntries(data)[0];
	if (foreign !== undefined)
		throw new Error(
			`${data} is no cluster's: it has ${foreign} in it; name a directory that is empty, or that does not exist`,
		);
}

/**
 * Checks that this user may access a data directory, if it exists.
 * @throws Error that says why not
 */
export function checkReachable(data: string): void {
	try {
		const stats = statSync(data);
		if (!stats.isDirectory()) throw new Error(`${data} is not a directory`);
		accessSync(data, constants.R_OK | constants.X_OK);
	} catch (error) {
		if (isCode(error, "ENOENT")) return;
		if (isCode(error, "ENOTDIR")) throw new Error(`${data} cannot be a directory: what is above it is a file`);
		if (!isCode(error, "EACCES")) throw error;
		throw new Error(`${data} belongs to another user: run cox as its owner, or specify another --data directory`);
	}
}

/**
 * Deletes a cluster's entries in its data directory, and the directory if it is empty then.
 * @returns names of the remaining entries, sorted
 */
export async function deleteData(data: string): Promise<string[]> {
	// Not rmSync: from Node 24 on it fails for directories without permissions, which overlays leave behind.
	for (const name of readdirSync(data)) if (ownEntry.test(name)) await deleteTree(join(data, name));
	const kept = foreignEntries(data);
	if (readdirSync(data).length === 0) rmdirSync(data);
	return kept;
}

/** Also directories that their owner may not write to, as images have: in a user namespace, root may. */
async function deleteTree(path: string): Promise<void> {
	try {
		await rm(path, { recursive: true, force: true });
	} catch (error) {
		if (process.getuid?.() === 0 || !isCode(error, "EACCES", "EPERM")) throw error;
		await run(["unshare", "--user", "--map-root-user", "rm", "-rf", "--", path], { timeoutMs: longestDeletionMs });
	}
}

function foreignEntries(data: string): string[] {
	return readdirSync(data)
		.filter((name) => name !== systemEntry && !ownEntry.test(name))
		.sort();
}
