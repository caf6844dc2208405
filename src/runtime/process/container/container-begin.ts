/** Starting a container: its supervisor, the reader of its output, and the reason if it did not start. */
import { spawn } from "node:child_process";
import { plainWords } from "../../../core/text/plain-words.ts";
import { LogPump } from "../output/logs.ts";
import { type ContainerRecord, streamsOf } from "./container-record.ts";
import type { Environment } from "./environment.ts";

/**
 * Starts the container's supervisor, which outlives the agent.
 * @param ended called when it has ended or cannot be started
 * @returns its PID; undefined if it cannot be started
 */
export function spawnShim(launcher: string, plan: string, ended: () => void): number | undefined {
	const shim = spawn(launcher, [plan], { detached: true, cwd: "/", stdio: "ignore", env: {} });
	shim.on("error", ended);
	shim.on("exit", ended);
	shim.unref();
	return shim.pid;
}

/** Why a container did not start, without the node's own paths. */
export function startFailure(line: string, internal: readonly string[]): string {
	const problem = line.startsWith("failed ")
		? line.slice(7)
		: "the container's namespaces cannot be entered; see its log";
	return plainWords(`failed to create task: unable to start container process: ${problem}`, internal);
}

/**
 * The reader of the container's output.
 * @param orphaned its supervisor has ended
 */
export function openLogPump(
	{ clock }: Environment,
	{ endMark, container }: ContainerRecord,
	directory: string,
	orphaned: boolean,
): LogPump {
	const { logPath } = container.config;
	const paths = streamsOf(container.config).map((name) => `${directory}/${name}`);
	return new LogPump({ paths, journalPath: `${directory}/journal`, logPath, endMark, clock, orphaned });
}
