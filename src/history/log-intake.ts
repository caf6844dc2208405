/** Receives the logs that agents send. */
import { objectKey } from "../api/cache/keys.ts";
import type { EndedLog } from "../core/ended-log.ts";
import { controllerOf } from "../core/object.ts";
import type { Pod } from "../kinds/generated/types.ts";
import { runs } from "../kinds/history/run.ts";
import { type KeptLog, keptLog } from "./records/archive.ts";
import { runName } from "./records/keys.ts";
import type { RunStore } from "./run-store.ts";

/** The logs of one run may use this fraction of the total, at most. */
const runShare = 4;

export interface LogIntakeParts {
	runStore: RunStore;
	/** The limit for all logs together. */
	logBytes: number;
	/** The current or last state of the pod; undefined for an unknown pod, `later` while this cannot be determined. */
	podOf(log: EndedLog): Pod | "later" | undefined;
	/**
	 * Resolves when the log and its run were written.
	 * @returns whether they were
	 */
	keep(log: KeptLog): Promise<boolean>;
}

/** See `KeptLogs.receive`. */
export function takeLogs(
	parts: LogIntakeParts,
	logs: readonly EndedLog[],
	node: string | undefined,
): Promise<boolean[]> {
	const most = Math.floor(parts.logBytes / runShare);
	return Promise.all(
		logs.map(async (log) => {
			const verdict = await judge(parts, log, node);
			if (verdict !== "take") return verdict === "never";
			return parts.keep(keptLog(log, most - (parts.runStore.index.get(runKey(log))?.logBytes ?? 0)));
		}),
	);
}

/** `never`: the node may not send it, or nothing is left that it could belong to. */
async function judge(
	{ runStore, podOf }: LogIntakeParts,
	log: EndedLog,
	node: string | undefined,
): Promise<"take" | "never" | "later"> {
	const { podUid, jobUid, container, attempt } = log;
	const { status } = (await runStore.runAt(runKey(log)))?.run ?? {};
	const known = status?.pods?.find(({ uid }) => uid === podUid);
	const attempts = known?.containers?.find(({ name }) => name === container)?.attempts ?? [];
	// The node sends a log again if it does not know that it arrived.
	if (attempts.some((one) => one.number === attempt && one.log !== undefined)) return "never";
	if (status?.logs === "Pruned") return "never";
	const isOwn = (of: string | undefined) => node === undefined || of === node;
	if (known !== undefined) return isOwn(known.node) ? "take" : "never";
	const pod = podOf(log);
	if (pod === "later") return pod;
	if (pod === undefined || !isOwn(pod.spec.nodeName) || pod.metadata.namespace !== log.namespace) return "never";
	// Up to here, namespace and name of the run are the node's claim.
	const job = controllerOf(pod);
	return job?.uid === jobUid && job.name === log.jobName ? "take" : "never";
}

function runKey({ namespace, jobName, jobUid }: EndedLog): string {
	return objectKey(runs, namespace, runName(jobName, jobUid));
}
