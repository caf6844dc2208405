/** What a process of the cluster says: one line, or a stack, on its standard error output, with the time. */
import { systemClock } from "../core/clock.ts";

/** A full disk, or a pipe that nobody reads any more, is no reason for the process to end. */
process.stderr.on("error", () => {});

/** @param what the part or the work that it is about */
export function logError(what: string, error: unknown): void {
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	process.stderr.write(`${new Date(systemClock().now()).toISOString()} ${what}: ${text}\n`);
}
