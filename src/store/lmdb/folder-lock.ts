/** Ensures that only one process uses a data folder. */
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ApiError } from "../../core/errors.ts";
import { isCode } from "../../linux/descriptors.ts";
import { identify, isZombie } from "../../linux/processes.ts";

interface Holder {
	pid: number;
	/** Start time of the process in kernel ticks, so that another process with the same PID is not mistaken for it. */
	startTicks: string | undefined;
}

export interface FolderLock {
	release(): void;
}

/**
 * Locks the folder for this process until the lock is released or the process ends in any way.
 * @throws ApiError Conflict that names the process that holds the lock
 */
export function lockFolder(folder: string): FolderLock {
	const file = join(folder, "holder.json");
	const mine: Holder = { pid: process.pid, startTicks: startTicks(process.pid) };
	const text = JSON.stringify(mine);
	// A process that crashed leaves its file; removing it may race with another process that does the same.
	for (let attempt = 0; attempt < 5; attempt++) {
		if (create(file, text)) return { release: () => read(file) === text && rmSync(file, { force: true }) };
		const found = read(file);
		const holder = found === undefined ? undefined : parse(found);
		if (holder !== undefined && isAlive(holder)) throw inUse(folder, holder);
		if (found !== undefined) takeAway(file, found);
	}
	throw new ApiError("Conflict", `the data folder ${folder} is being opened by several processes at once`);
}

function inUse(folder: string, holder: Holder): ApiError {
	const who = holder.pid === process.pid ? "this process" : `process ${holder.pid}`;
	return new ApiError("Conflict", `the data folder ${folder} is in use by ${who} (${commandOf(holder.pid)})`);
}

function commandOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
	} catch {
		return "of an unknown command";
	}
}

/**
 * Created atomically with its content, so that no reader sees a part of it. It is a dangling symbolic link, which uses
 * no space: a server must start on a full disk, too.
 * @returns false if the file exists
 */
function create(file: string, text: string): boolean {
	try {
		symlinkSync(text, file);
		return true;
	} catch (error) {
		if (isCode(error, "EEXIST")) return false;
		throw error;
	}
}

/** Removes the file if it still has the content that was read. */
function takeAway(file: string, content: string): void {
	const aside = `${file}.${process.pid}.stale`;
	try {
		renameSync(file, aside);
	} catch (error) {
		if (isCode(error, "ENOENT")) return;
		throw error;
	}
	// Another process was faster, and the file belongs to a new holder: restore it.
	if (read(aside) !== content) {
		try {
			linkSync(aside, file);
		} catch (error) {
			if (!isCode(error, "EEXIST")) throw error;
		}
	}
	rmSync(aside, { force: true });
}

function read(file: string): string | undefined {
	try {
		return readlinkSync(file);
	} catch (error) {
		if (isCode(error, "ENOENT")) return undefined;
		// Earlier versions created a file.
		if (isCode(error, "EINVAL")) return readFileSync(file, "utf8");
		throw error;
	}
}

function parse(text: string): Holder | undefined {
	try {
		// Written by `lockFolder`; any other content is not a lock.
		return JSON.parse(text) as Holder;
	} catch {
		return undefined;
	}
}

function isAlive({ pid, startTicks: started }: Holder): boolean {
	try {
		process.kill(pid, 0);
	} catch (error) {
		if (!isCode(error, "EPERM")) return false;
	}
	if (isZombie(pid)) return false;
	const now = startTicks(pid);
	return started === undefined || now === undefined || started === now;
}

/** Undefined on systems without /proc. */
function startTicks(pid: number): string | undefined {
	return identify(pid)?.startTime;
}
