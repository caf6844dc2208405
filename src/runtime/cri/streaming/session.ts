/** Exec and attach through a CRI runtime's streaming server (remotecommand protocol v4 over SPDY). */
import { PassThrough, type Readable, type Writable } from "node:stream";
import type { SpdyStream } from "../../../core/spdy/stream.ts";
import type { ExecSession } from "../../runtime.ts";
import { connectSpdy, type SpdyClient } from "./spdy-client.ts";

const protocol = "v4.channel.k8s.io";
/** Of a session that was ended from outside, as of a process that was killed. */
const killed = 137;

export interface SessionOptions {
	stdin: boolean;
	tty: boolean;
	signal: AbortSignal;
	/** Input is held back until then. Default: it is not. */
	inputAfter?: Promise<void>;
	/** The exit code where the runtime reports success. Default 0. */
	succeeded?(): Promise<number>;
}

/** @throws Error with the runtime's words */
export async function openSession(url: string, options: SessionOptions): Promise<ExecSession> {
	const { stdin: hasInput, tty, signal, inputAfter, succeeded = async () => 0 } = options;
	const client = await connectSpdy(url, protocol, signal);
	const open = (streamtype: string) => client.open({ streamtype });
	const error = open("error");
	const stdin = hasInput ? open("stdin") : undefined;
	const stdout = open("stdout");
	const stderr = tty ? undefined : open("stderr");
	const sizes = tty ? open("resize") : undefined;
	stdin?.resume();
	sizes?.resume();
	const abort = () => client.close();
	signal.addEventListener("abort", abort, { once: true });
	if (signal.aborted) abort();
	return {
		...(stdin === undefined ? {} : { stdin: inputAfter === undefined ? stdin : heldBack(stdin, inputAfter) }),
		stdout,
		...(stderr === undefined ? {} : { stderr }),
		resize(columns, rows) {
			if (columns > 0 && rows > 0) sizes?.write(`${JSON.stringify({ Width: columns, Height: rows })}\n`);
		},
		exitCode: outcome(client, error, [stdout, stderr]).then((status) => {
			signal.removeEventListener("abort", abort);
			if (signal.aborted) return killed;
			return status === "success" ? succeeded() : status;
		}),
	};
}

function heldBack(stdin: Writable, until: Promise<void>): Writable {
	const input = new PassThrough();
	void until.then(() => input.pipe(stdin));
	return input;
}

/** Closes the connection when the result is there and the output was read. */
async function outcome(
	client: SpdyClient,
	error: SpdyStream,
	outputs: readonly (Readable | undefined)[],
): Promise<number | "success"> {
	const ends = outputs.map(ended);
	let text = "";
	for await (const chunk of error) text += String(chunk);
	await Promise.race([Promise.all(ends), client.closed]);
	client.close();
	return parseStatus(text);
}

function ended(output: Readable | undefined): Promise<void> {
	if (output === undefined || output.readableEnded || output.destroyed) return Promise.resolve();
	return new Promise((resolve) => output.once("end", resolve).once("close", resolve));
}

/**
 * @param text a `metav1.Status`; empty if the connection was lost
 * @throws Error with the runtime's words if the command was not run
 */
function parseStatus(text: string): number | "success" {
	if (text === "") return killed;
	let status: { status?: string; message?: string; details?: { causes?: { reason?: string; message?: string }[] } };
	try {
		// What the protocol says; anything else is reported as it is.
		status = JSON.parse(text) as typeof status;
	} catch {
		throw new Error(text.trim());
	}
	if (status.status === "Success") return "success";
	const code = Number(status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message);
	if (Number.isInteger(code)) return code;
	throw new Error(status.message ?? "the runtime gives no reason");
}
