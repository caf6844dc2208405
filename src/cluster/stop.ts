import { rmSync } from "node:fs";
import { systemClock } from "../core/clock.ts";
import { control, NotRunning } from "./control-client.ts";
import type { Layout } from "./layout.ts";
import { removeMachine } from "./process-nodes.ts";
import { agentMark, isAlive, killAll, processesMarked, serverMark } from "./processes.ts";

/** How long the server may take to stop by itself before it is killed. */
const graceMs = 10_000;

/**
 * Ends everything of the cluster, also what a crash of any part left behind: server, agents, node namespaces with their
 * containers, mounts and interfaces. Data stays. Returns false when nothing ran.
 */
export async function stopCluster(layout: Layout): Promise<boolean> {
	const clock = systemClock();
	const servers = processesMarked(serverMark, layout.data);
	const agents = processesMarked(agentMark, layout.data);
	try {
		await control(layout, "stop");
		for (let waitedMs = 0; servers.some(isAlive) && waitedMs < graceMs; waitedMs += 10) await clock.sleep(10);
	} catch (error) {
		// Not there, or there and broken: what is left is killed below.
		if (!(error instanceof NotRunning)) process.emitWarning(error instanceof Error ? error.message : String(error));
	}
	const left = [...processesMarked(serverMark, layout.data), ...processesMarked(agentMark, layout.data)];
	await killAll(left, clock);
	const holders = await removeMachine(layout, clock);
	rmSync(layout.sockets, { recursive: true, force: true });
	return servers.length + agents.length + holders > 0;
}
