import { readFileSync } from "node:fs";
import type { Layout } from "../files/layout.ts";
import type { ClusterStatus } from "./control-protocol.ts";
import { supervisorMark } from "./processes.ts";

/**
 * What this server process knows of the supervisor that started it: assets/supervise.sh passes it in the environment.
 */
export function supervision({ data }: Layout): Pick<ClusterStatus, "restarts" | "supervisorPid"> {
	const last = process.env.COX_LAST_END;
	return {
		restarts: { count: Number(process.env.COX_RESTARTS) || 0, ...(last ? { last } : {}) },
		...(isSupervisor(process.ppid, data) ? { supervisorPid: process.ppid } : {}),
	};
}

/** A process that takes the supervisor's place as the parent of its orphans does not have its mark. */
function isSupervisor(pid: number, data: string): boolean {
	try {
		return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${supervisorMark}=${data}`);
	} catch {
		return false;
	}
}
