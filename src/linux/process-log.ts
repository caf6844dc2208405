/** The log of a process: one line, or a stack, on standard error, with the time. */
import { ApiError } from "../core/errors.ts";
import { systemClock } from "../core/time/clock.ts";

/** A full disk, or a closed pipe, must not end the process. */
process.stderr.on("error", () => {});

/** @param what the component or operation */
export function logError(what: string, error: unknown): void {
	process.stderr.write(`${new Date(systemClock().now()).toISOString()} ${what}: ${textOf(error)}\n`);
}

function textOf(error: unknown): string {
	// An expected failure: where in the code it was raised says nothing of its cause.
	if (error instanceof ApiError && error.reason !== "InternalError") return `${error.reason}: ${error.message}`;
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
