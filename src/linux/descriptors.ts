/** Parts of open(2) that Node lacks, and its error codes. Linux only. */

/**
 * Opens only the path: does not wait for a FIFO or activate a device. The value is the same on all architectures of
 * Node, which does not define it.
 */
export const O_PATH = 0o10000000;

/** A path for what a descriptor refers to, in this process. Renames do not affect it. */
export function descriptorPath(fd: number): string {
	return `/proc/self/fd/${fd}`;
}

/** Whether a file system error has one of these codes, such as `ENOENT`. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
	return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
