import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { type Clock, systemClock } from "../../core/time/clock.ts";
import { makeFolder } from "../../linux/make-folder.ts";
import { isAlive, killAll } from "../../linux/processes.ts";
import { agentMark, processesMarked, serverMark, supervisorMark } from "../control/cluster-processes.ts";
import { control, NotRunning } from "../control/control-client.ts";
import type { Layout } from "../files/layout.ts";
import { removeMachine } from "../nodes/process-nodes.ts";

/** How long the server may take to stop by itself before it is killed. */
const graceMs = 10_000;

/**
 * Stops everything of the cluster and cleans up after crashes: server, agents, node namespaces with their containers,
 * mounts and interfaces. Data are kept.
 * @returns false if nothing was running
 */
export async function stopCluster(layout: Layout): Promise<boolean> {
	const clock = systemClock();
	const made = makeFolder(layout.data, 0o700);
	const running = processesMarked(marks, layout.data);
	const servers = processesMarked([serverMark], layout.data);
	try {
		await control(layout, "stop");
		for (let waitedMs = 0; servers.some(isAlive) && waitedMs < graceMs; waitedMs += 10) await clock.sleep(10);
	} catch (error) {
		// It is not running, or does not respond: remaining processes are killed below.
		if (!(error instanceof NotRunning)) process.emitWarning(messageOf(error));
	}
	await killMarked(layout, clock);
	const holders = await removeMachine(layout, clock);
	removeSockets(layout.sockets);
	rmSync(layout.pidFile, { force: true });
	if (made !== undefined) removeEmpty(layout.data, made);
	return running.length + holders > 0;
}

/** In the order in which they start one another. */
const marks = [supervisorMark, serverMark, agentMark];
const mostRounds = 20;

/** Kills supervisors before the processes that they would restart, and repeats until no process is found. */
async function killMarked(layout: Layout, clock: Clock): Promise<void> {
	for (let round = 0; round < mostRounds; round++) {
		let found = 0;
		for (const mark of marks) {
			const marked = processesMarked([mark], layout.data);
			found += marked.length;
			await killAll(marked, clock);
		}
		if (found === 0) return;
	}
	throw new Error(`processes of ${layout.data} keep restarting; kill them manually, then run 'cox down' again`);
}

const ownSocket = /^(control|api|api-tls|dns|agent-.+)\.sock$/;

/** Only files of the cluster: a folder that was named by mistake may have a `run` of its own. */
export function removeSockets(folder: string): void {
	if (!existsSync(folder)) return;
	for (const entry of readdirSync(folder, { withFileTypes: true }))
		if (entry.isSocket() && ownSocket.test(entry.name)) rmSync(join(folder, entry.name), { force: true });
	if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Removes folders that were created for this command, from `folder` up to `topmost`, if they are empty. */
function removeEmpty(folder: string, topmost: string): void {
	for (let path = folder; path.length >= topmost.length && readdirSync(path).length === 0; path = dirname(path))
		rmdirSync(path);
}
