/**
 * The steps of native/launcher, as words. The launcher's function with the same name documents their arguments. Pure.
 */

/** A step's name and its arguments. */
export type Step = readonly [string, ...(string | number | bigint)[]];

/** Flags of `clone`, `unshare` and `setns` (linux/sched.h). */
export const namespaces = {
	mount: 0x20000,
	uts: 0x4000000,
	ipc: 0x8000000,
	user: 0x10000000,
	pid: 0x20000000,
	net: 0x40000000,
} as const;

/** Attributes of mounts (linux/mount.h). */
export const mountAttributes = { readOnly: 1, noSuid: 2, noDevices: 4, noExec: 8 } as const;

/** A variable number of words, as a step's argument. */
export function list(words: readonly string[]): [number, ...string[]] {
	return [words.length, ...words];
}

/**
 * The bytes of a plan.
 * @throws Error for a word with a zero byte, which no command line or environment can contain
 */
export function encodePlan(steps: Iterable<Step>): string {
	let text = "";
	for (const step of steps) {
		for (const word of step) {
			if (typeof word === "string" && word.includes("\0")) throw new Error(`a zero byte in ${JSON.stringify(word)}`);
			text += `${word}\0`;
		}
	}
	return text;
}
