/**
 * Exec and attach over any transport: connects a session of the runtime to the client's streams, and reports how it
 * ended.
 */

import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../core/errors.ts";
import { isTrue } from "../../core/selection/query.ts";
import type { ExecSession } from "../../runtime/runtime.ts";

/** The client's streams. Those that it did not request are absent. */
export interface RemoteStreams {
	stdin?: Readable;
	stdout?: Writable;
	stderr?: Writable;
	onResize(listener: (columns: number, rows: number) => void): void;
	/** Sends the result and closes everything. Resolves when it has been sent. */
	finish(status: CommandStatus): Promise<void>;
}

/** The result of a remote command as a `metav1.Status`; protocol v4 and later. */
export interface CommandStatus {
	metadata: Record<string, never>;
	status: "Success" | "Failure";
	message?: string;
	reason?: string;
	details?: { causes: { reason: string; message: string }[] };
	code?: number;
}

export interface CommandOptions {
	stdin: boolean;
	stdout: boolean;
	stderr: boolean;
	tty: boolean;
}

/** Options from a query such as `stdin=true&tty=1`. With a terminal, stdout includes stderr. */
export function commandOptions(query: URLSearchParams): CommandOptions {
	const flag = (name: string, old: string) => isTrue(query.get(name) ?? query.get(old));
	const tty = flag("tty", "tty");
	return {
		stdin: flag("stdin", "input"),
		stdout: flag("stdout", "output"),
		stderr: flag("stderr", "error") && !tty,
		tty,
	};
}

/** Runs the session to its end. Never throws. */
export async function runCommand(start: () => Promise<ExecSession>, streams: RemoteStreams): Promise<void> {
	try {
		const session = await start();
		streams.onResize((columns, rows) => {
			// kubectl sends 0×0 before it knows its terminal.
			if (columns > 0 && rows > 0) session.resize(columns, rows);
		});
		if (streams.stdin !== undefined && session.stdin !== undefined) {
			// The command may exit or stop reading before its input ends.
			pipeline(streams.stdin, session.stdin).catch(() => {});
		}
		const [exitCode] = await Promise.all([
			session.exitCode,
			forward(session.stdout, streams.stdout),
			forward(session.stderr, streams.stderr),
		]);
		await streams.finish(outcome(exitCode));
	} catch (error) {
		const message = messageOf(error);
		await streams.finish(internalError(message)).catch(() => {});
	}
}

export function outcome(exitCode: number): CommandStatus {
	if (exitCode === 0) return { metadata: {}, status: "Success" };
	return {
		metadata: {},
		status: "Failure",
		message: `command terminated with non-zero exit code: exit status ${exitCode}`,
		reason: "NonZeroExitCode",
		details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
	};
}

function internalError(message: string): CommandStatus {
	return { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
}

/** Copies all of `from` to `to`, which remains open; output that was not requested is discarded. */
async function forward(from: Readable | undefined, to: Writable | undefined): Promise<void> {
	if (from === undefined) return;
	if (to === undefined) {
		from.on("error", () => {}).resume();
		return;
	}
	try {
		for await (const chunk of from) {
			if (to.destroyed || to.writableEnded) break;
			if (!to.write(chunk)) await roomIn(to);
		}
	} catch {
		// The client has disconnected; the command's end is awaited anyway.
	}
}

function roomIn(stream: Writable): Promise<void> {
	return new Promise((resolve) => {
		const go = () => {
			stream.off("drain", go).off("close", go).off("error", go);
			resolve();
		};
		stream.on("drain", go).on("close", go).on("error", go);
	});
}
