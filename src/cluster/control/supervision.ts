import type { Layout } from "../files/layout.ts";
import { isMarked, supervisorMark } from "./cluster-processes.ts";
import type { ClusterStatus } from "./control-protocol.ts";

/**
 * What this server process knows of the supervisor that started it: assets/supervise.sh passes it in the environment.
 */
export function supervision({ data }: Layout): Pick<ClusterStatus, "restarts" | "supervisorPid"> {
	const last = process.env.COX_LAST_END;
	return {
		restarts: { count: Number(process.env.COX_RESTARTS) || 0, ...(last ? { last } : {}) },
		// A process that takes its place as the parent of its orphans does not have its mark.
		...(isMarked(process.ppid, supervisorMark, data) ? { supervisorPid: process.ppid } : {}),
	};
}
