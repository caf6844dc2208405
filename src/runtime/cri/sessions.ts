/** Sessions with containers of a CRI runtime: exec and attach. */
import type { Clock } from "../../core/time/clock.ts";
import type { Container, ExecOptions, ExecSession } from "../runtime.ts";
import { openSession } from "./streaming/session.ts";
import type { CriClient } from "./wire/client.ts";
import { methods } from "./wire/methods.ts";

/** The end of a container follows the end of its output within milliseconds. */
const lookMs = 20;
const mostLooks = 50;
const attachMs = 50;

export interface AttachOptions {
	stdin: boolean;
	signal: AbortSignal;
}

export async function exec(
	client: CriClient,
	id: string,
	{ command, tty, stdin, signal }: ExecOptions,
): Promise<ExecSession> {
	const request = { containerId: id, cmd: command, tty, stdin, stdout: true, stderr: !tty };
	const { url = "" } = await client.call(methods.exec, request, { signal });
	return openSession(url, { stdin, tty, signal });
}

/** @param options `now`: the container as it is now */
export async function attach(
	client: CriClient,
	clock: Clock,
	{ id, config }: Container,
	{ stdin, signal, now }: AttachOptions & { now(): Promise<Container> },
): Promise<ExecSession> {
	const { tty, stdinOnce } = config;
	const hasInput = stdin && config.stdin;
	const request = { containerId: id, stdin: hasInput, tty, stdout: true, stderr: !tty };
	const { url = "" } = await client.call(methods.attach, request, { signal });
	let inputEnded = false;
	const session = await openSession(url, {
		stdin: hasInput,
		tty,
		signal,
		// containerd connects the input first, and drops output until it has connected that as well.
		inputAfter: clock.sleep(attachMs),
		// After the end of its input, a client keeps receiving output only if the container sees that end, too.
		succeeded: async () => (inputEnded && (!stdinOnce || tty) ? 0 : exitCodeSoon(now, clock)),
	});
	session.stdin?.once("finish", () => {
		inputEnded = true;
	});
	return session;
}

/** Of a container whose output has ended. 0 if it goes on without. */
async function exitCodeSoon(now: () => Promise<Container>, clock: Clock): Promise<number> {
	for (let looks = 0; looks < mostLooks; looks++) {
		const { exitCode } = await now();
		if (exitCode !== undefined) return exitCode;
		await clock.sleep(lookMs);
	}
	return 0;
}
