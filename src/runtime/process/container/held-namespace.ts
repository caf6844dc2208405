/** Mount namespaces that stay while someone needs their IDs: the kernel gives the ID of one that is gone to the next one. */
import { closeSync, openSync, readlinkSync } from "node:fs";
import { isAlive, type ProcessId } from "../../../linux/processes.ts";

/** A namespace that exists until it is released, even without processes. */
export interface HeldNamespace {
	/** As `namespaceOf` gives it. */
	readonly id: string;
	release(): void;
}

/** Undefined if the process has ended or belongs to another user. */
export function holdMountNamespace(target: ProcessId): HeldNamespace | undefined {
	let descriptor: number | undefined;
	const release = () => {
		if (descriptor !== undefined) closeSync(descriptor);
		descriptor = undefined;
	};
	try {
		descriptor = openSync(`/proc/${target.pid}/ns/mnt`, "r");
		const id = readlinkSync(`/proc/self/fd/${descriptor}`);
		if (isAlive(target)) return { id, release };
	} catch {
		// It has just ended.
	}
	release();
	return undefined;
}
