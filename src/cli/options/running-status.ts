/** The status of a running cluster, or why there is none. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { processesMarked, supervisorMark } from "../../cluster/control/cluster-processes.ts";
import { control, NotRunning } from "../../cluster/control/control-client.ts";
import type { ClusterStatus } from "../../cluster/control/control-protocol.ts";
import type { Layout } from "../../cluster/files/layout.ts";

/** @throws NotRunning, or Error if the server has crashed and its supervisor is about to restart it */
export async function runningStatus(layout: Layout): Promise<ClusterStatus> {
	try {
		return await control(layout, "status");
	} catch (error) {
		const [supervisor] = error instanceof NotRunning ? processesMarked([supervisorMark], layout.data) : [];
		if (supervisor === undefined) throw error;
		const end = lastEnd(layout.log, supervisor.pid);
		throw new Error(
			end === undefined
				? `the server process is being started; see ${layout.log}`
				: `the server process died and is being restarted; see ${layout.log}\n  ${end}`,
		);
	}
}

const logTailBytes = 64 * 1024;

/**
 * The last message of this supervisor in the cluster's log: how a server process ended, and when the next one starts.
 */
function lastEnd(log: string, supervisor: number): string | undefined {
	const lines = tailOf(log, logTailBytes).split("\n");
	return lines.findLast((line) => line.includes(` supervisor ${supervisor}: `));
}

/** The last bytes of a file as text; it may begin within a line. */
export function tailOf(file: string, byteCount: number): string {
	const descriptor = openSync(file, "r");
	try {
		const bytes = Buffer.alloc(byteCount);
		const read = readSync(descriptor, bytes, 0, byteCount, Math.max(0, fstatSync(descriptor).size - byteCount));
		return bytes.subarray(0, read).toString();
	} finally {
		closeSync(descriptor);
	}
}
