/** Sessions with a container: exec and attach. */
import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { PassThrough, type Readable } from "node:stream";
import type { ExecOptions, ExecSession } from "../../runtime.ts";
import { windowSize } from "../launcher/window-size.ts";
import type { ProcessContainer } from "./container.ts";

/** @param launcher the program that carries out the plan */
export async function exec(
	launcher: string,
	container: ProcessContainer,
	{ command, tty, stdin, signal }: ExecOptions,
): Promise<ExecSession> {
	if (command.length === 0) throw new Error("no command given");
	const plan = container.writeExecPlan(command, tty);
	// In a process group of its own, so that the end of the session also ends the processes inside.
	const child = spawn(launcher, [plan], {
		detached: true,
		cwd: "/",
		// With a terminal, all output is on one stream, and its sizes are sent over the last descriptor.
		stdio: tty ? ["pipe", "pipe", "ignore", "pipe"] : [stdin ? "pipe" : "ignore", "pipe", "pipe"],
		env: {},
	});
	const abort = () => killGroup(child);
	signal.addEventListener("abort", abort, { once: true });
	if (signal.aborted) abort();
	// Programs may exit without reading their input.
	child.stdin?.on("error", () => {});
	const sizes = child.stdio[3];
	sizes?.on("error", () => {});
	return {
		...(child.stdin === null || !stdin ? {} : { stdin: child.stdin }),
		stdout: present(child.stdout),
		...(child.stderr === null ? {} : { stderr: child.stderr }),
		resize(columns, rows) {
			if (sizes instanceof Socket && columns > 0 && rows > 0) sizes.write(windowSize(columns, rows));
		},
		exitCode: new Promise((resolve, reject) => {
			child.on("error", reject);
			child.on("close", (code) => {
				signal.removeEventListener("abort", abort);
				resolve(code ?? 137);
			});
		}),
	};
}

export function attach(container: ProcessContainer, options: { stdin: boolean; signal: AbortSignal }): ExecSession {
	const { config } = container.describe();
	const outputs = { stdout: new PassThrough(), stderr: new PassThrough() };
	const untap = container.tap((stream, chunk) => outputs[stream].write(chunk));
	const finish = () => {
		untap();
		outputs.stdout.end();
		outputs.stderr.end();
	};
	const aborted = new Promise<void>((resolve) => {
		if (options.signal.aborted) resolve();
		options.signal.addEventListener("abort", () => resolve(), { once: true });
	});
	const stdin = options.stdin && config.stdin ? openInput(container, config.stdinOnce) : undefined;
	// After the end of its input, a client keeps receiving output only if the container sees that end, too.
	const isOver = new Promise<void>((resolve) => {
		if (!config.stdinOnce || config.tty) stdin?.once("close", resolve);
	});
	const exitCode = Promise.race([container.ended, aborted, isOver]).then(() => {
		finish();
		return container.describe().exitCode ?? 0;
	});
	return {
		...(stdin === undefined ? {} : { stdin }),
		stdout: outputs.stdout,
		...(config.tty ? {} : { stderr: outputs.stderr }),
		resize(columns, rows) {
			if (columns > 0 && rows > 0) container.resize(columns, rows);
		},
		exitCode,
	};
}

function openInput(container: ProcessContainer, once: boolean): Socket {
	const input = new Socket({ fd: container.openInput(), readable: false, writable: true });
	input.on("error", () => {});
	input.on("close", () => {
		if (once) container.endInput();
	});
	// A FIFO cannot be half-closed: its end is its close.
	input.on("finish", () => input.destroy());
	return input;
}

function killGroup(child: ChildProcess): void {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		// It has ended in the meantime.
	}
}

function present(stream: Readable | null): Readable {
	if (stream === null) throw new Error("a pipe was asked for and not made");
	return stream;
}
