/** Graceful node shutdown (KEP-2000): pods end in two groups, those that are critical for the node last. */
import type { Clock } from "../../core/time/clock.ts";
import { systemCriticalPriority } from "../../kinds/core/priorityclass.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Verdict } from "../pod/pod-state.ts";

export interface ShutdownPeriods {
	/** Of the whole shutdown; 0: the node stops at once. */
	shutdownGraceMs: number;
	/** The part of it that is for critical pods. */
	shutdownGraceCriticalMs: number;
}

export interface EndingPod {
	readonly pod: Pod;
	/** Whether the pod has not terminated. */
	readonly active: boolean;
	/** Resolves when it has, and the API knows it. */
	readonly over: Promise<void>;
	end(verdict: Verdict): void;
}

/** Upstream's. */
export const shutdownReason = "Terminated";
const verdict: Verdict = {
	reason: shutdownReason,
	message: "Pod was terminated in response to imminent node shutdown.",
};
export const shutdownRefusal: Verdict = {
	reason: "NodeShutdown",
	message: "Pod was rejected: Pod was rejected as the node is shutting down.",
};

/** Resolves when all pods have ended, or their time is over. */
export async function endPods(pods: Iterable<EndingPod>, periods: ShutdownPeriods, clock: Clock): Promise<void> {
	const { shutdownGraceMs, shutdownGraceCriticalMs } = periods;
	const active = [...pods].filter((one) => one.active);
	const isCritical = ({ pod }: EndingPod) => (pod.spec.priority ?? 0) >= systemCriticalPriority;
	await endGroup(
		active.filter((one) => !isCritical(one)),
		shutdownGraceMs - shutdownGraceCriticalMs,
		clock,
	);
	await endGroup(active.filter(isCritical), shutdownGraceCriticalMs, clock);
}

async function endGroup(group: readonly EndingPod[], graceMs: number, clock: Clock): Promise<void> {
	if (group.length === 0) return;
	for (const one of group) one.end({ ...verdict, graceSeconds: Math.floor(graceMs / 1000) });
	const late = new AbortController();
	const time = clock.sleep(graceMs, late.signal).catch(() => {});
	await Promise.race([Promise.all(group.map((one) => one.over)), time]);
	late.abort();
}
