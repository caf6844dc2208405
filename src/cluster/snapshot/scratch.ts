import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { isRunning } from "../../linux/processes.ts";

/** Prefix of a folder in the data directory with a temporary copy while a snapshot is saved. */
export const savePrefix = "snapshot-";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A temporary folder with access for its owner only: it is removed when it is disposed of, and when a signal ends the
 * process. Folders of killed processes are removed by the next caller.
 * @param prefix of the folder's name, used only by this function
 */
export function scratchFolder(near: string, prefix: string): { readonly path: string } & Disposable {
	removeLeftovers(near, prefix);
	const path = mkdtempSync(join(near, `${prefix}${process.pid}-`));
	const remove = () => rmSync(path, { recursive: true, force: true });
	const end = (signal: NodeJS.Signals) => {
		remove();
		process.exit(128 + constants.signals[signal]);
	};
	for (const signal of signals) process.on(signal, end);
	return {
		path,
		[Symbol.dispose]() {
			for (const signal of signals) process.off(signal, end);
			remove();
		},
	};
}

/** Removes files and folders named PREFIX and the PID of a process that has ended; those of other users are kept. */
export function removeLeftovers(near: string, prefix: string): void {
	for (const name of readdirSync(near)) {
		if (!name.startsWith(prefix)) continue;
		const [pid] = /^\d+(?=-|$)/.exec(name.slice(prefix.length)) ?? [];
		const path = join(near, name);
		if (pid === undefined || Number(pid) === process.pid || isRunning(Number(pid)) || !isOurs(path)) continue;
		rmSync(path, { recursive: true, force: true });
	}
}

function isOurs(path: string): boolean {
	const uid = lstatSync(path, { throwIfNoEntry: false })?.uid;
	return uid !== undefined && uid === (process.getuid?.() ?? uid);
}
