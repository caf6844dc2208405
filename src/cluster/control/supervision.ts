import type { Layout } from "../files/layout.ts";
import { isMarked, supervisorMark } from "./cluster-processes.ts";
import type { ClusterStatus } from "./control-protocol.ts";

/** What this server process knows about its supervisor: assets/supervise.sh passes it in the environment. */
export function supervision({ data }: Layout): Pick<ClusterStatus, "restarts" | "supervisorPid"> {
	const last = process.env.COX_LAST_END;
	return {
		restarts: { count: Number(process.env.COX_RESTARTS) || 0, ...(last ? { last } : {}) },
		// Another process that adopted it as an orphan does not have this mark.
		...(isMarked(process.ppid, supervisorMark, data) ? { supervisorPid: process.ppid } : {}),
	};
}
