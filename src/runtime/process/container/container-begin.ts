/** Starting a container: its supervisor, the reader of its output, and the reason if it did not start. */
import { spawn } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { plainWords } from "../../../core/text/plain-words.ts";
import { identify } from "../../../linux/processes.ts";
import { layerLinks } from "../launcher/image-root.ts";
import { volumeLinks } from "../launcher/image-volumes.ts";
import { LogPump } from "../output/logs.ts";
import { type ContainerRecord, streamsOf } from "./container-record.ts";
import type { Environment } from "./environment.ts";
import { type HeldNamespace, holdMountNamespace } from "./held-namespace.ts";

/**
 * Links the layers of its images under names that are short enough for many of them; they are used as long as the container
 * exists.
 */
export function linkLayers(
	{ images, scratch, clock, empty }: Environment,
	{ container, files, volumeFiles = [], userBase }: ContainerRecord,
	directory: string,
): void {
	for (const { image } of [...(files === undefined ? [] : [files]), ...volumeFiles])
		images.store?.use(image, container.id, directory, clock.now());
	const own = { ownUsers: userBase !== undefined, scratch: `${scratch}/${container.id}` };
	const links = files === undefined ? [] : layerLinks({ files, ...own });
	for (const [path, target] of [...links, ...volumeLinks({ volumeFiles, ...own }, empty)]) {
		mkdirSync(dirname(`${directory}/${path}`), { recursive: true });
		symlinkSync(target, `${directory}/${path}`);
	}
}

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

/** A container whose first process has this PID; it may have ended already. */
export function started(
	record: ContainerRecord,
	pid: number,
): { record: ContainerRecord; namespace: HeldNamespace | undefined } {
	const init = identify(pid);
	if (init === undefined) return { record, namespace: undefined };
	const namespace = heldNamespace({ ...record, init });
	return { record: { ...record, init, ...(namespace && { mountNamespace: namespace.id }) }, namespace };
}

/**
 * The mount namespace of a container whose processes are found by it when they are to end, because they do not end with
 * the first one. Without it, the ID would be another container's as soon as the last process has ended.
 */
export function heldNamespace({ ownPid, init }: ContainerRecord): HeldNamespace | undefined {
	return ownPid || init === undefined ? undefined : holdMountNamespace(init);
}
