/** Files with the logs of removed pods, until they are delivered. */
import { mkdirSync } from "node:fs";
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EndedLog, parseWireLogs, wireLogs } from "../../core/ended-log.ts";

const mostBytes = 64 * 1024 * 1024;

export interface Spool {
	/** @returns the name of the file */
	put(log: EndedLog): Promise<string>;
	/** Undefined if the file does not exist or cannot be read. */
	get(name: string): Promise<EndedLog | undefined>;
	remove(name: string): Promise<void>;
	/** Oldest first. */
	list(): Promise<string[]>;
}

/** @param directory the agent's own, which no pod can access */
export function createSpool(directory: string): Spool {
	mkdirSync(directory, { recursive: true, mode: 0o700 });
	const at = (name: string) => join(directory, name);
	const ages = async () => {
		const names = (await readdir(directory)).filter((name) => name.endsWith(".json"));
		const found = await Promise.all(
			names.map(async (name) => {
				const { size, mtimeMs } = await stat(at(name));
				return { name, size, mtimeMs };
			}),
		);
		return found.sort((a, b) => a.mtimeMs - b.mtimeMs);
	};
	return {
		async put(log) {
			const { podUid, container, attempt } = log;
			const name = `${podUid}_${container}_${attempt}.json`;
			await writeFile(at(`${name}.part`), JSON.stringify(wireLogs([log])), { mode: 0o600 });
			await rename(at(`${name}.part`), at(name));
			const files = await ages();
			let excess = files.reduce((sum, { size }) => sum + size, 0) - mostBytes;
			for (const file of files) {
				if (excess <= 0) break;
				await rm(at(file.name), { force: true });
				excess -= file.size;
			}
			return name;
		},
		async get(name) {
			try {
				return parseWireLogs(JSON.parse(await readFile(at(name), "utf8")))[0];
			} catch {
				await rm(at(name), { force: true });
				return undefined;
			}
		},
		remove: (name) => rm(at(name), { force: true }),
		list: async () => (await ages()).map(({ name }) => name),
	};
}
