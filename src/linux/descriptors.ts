/** What Node lacks of open(2), and the codes of its errors. Linux only. */

/**
 * Opens nothing but the name: no FIFO waits, no device wakes. The same number on all architectures where Node runs, and
 * missing from its constants.
 */
export const O_PATH = 0o10000000;

/** A path of this process to what a descriptor is open on, which no rename changes. */
export function descriptorPath(fd: number): string {
	return `/proc/self/fd/${fd}`;
}

/** Whether an error of the file system has one of these codes, such as `ENOENT`. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
	return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
