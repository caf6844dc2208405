/** The log of a process: one line, or a stack, on standard error, with the time. */
import { systemClock } from "../core/time/clock.ts";

/** A full disk, or a closed pipe, must not end the process. */
process.stderr.on("error", () => {});

/** @param what the component or operation */
export function logError(what: string, error: unknown): void {
	const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
	process.stderr.write(`${new Date(systemClock().now()).toISOString()} ${what}: ${text}\n`);
}
