/** How results of one probe add up to a verdict, and when to probe next (API page "Configure Probes"). Pure. */
import type { Probe } from "../../kinds/generated/types.ts";

export type ProbeKind = "startup" | "readiness" | "liveness";

export interface ProbeState {
	/** The verdict now: what the thresholds have confirmed. */
	verdict: "success" | "failure" | "unknown";
	/** Equal results in a row. */
	run: { ok: boolean; count: number };
	/** How many early tries there have been. */
	early: number;
	nextAtMs: number;
}

/** First try again after a failure in the first period; then twice as long, and so on. */
const firstEarlyMs = 100;

/** A container begins unready, alive, and with its startup unknown. */
export function initialProbeState(kind: ProbeKind, probe: Probe, startedAtMs: number): ProbeState {
	return {
		verdict: kind === "liveness" ? "success" : kind === "readiness" ? "failure" : "unknown",
		run: { ok: false, count: 0 },
		early: 0,
		nextAtMs: startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000,
	};
}

/**
 * The state after a result.
 *
 * In its first period, a container that is not ready yet is tried again sooner than the period says, and such failures
 * count for nothing: containers are seen to be ready when they are, not up to a period later.
 * @returns `counted: false` for a failure that is not to be reported
 */
export function afterProbe(
	state: ProbeState,
	kind: ProbeKind,
	probe: Probe,
	ok: boolean,
	times: { startedAtMs: number; nowMs: number },
): { state: ProbeState; counted: boolean } {
	const periodMs = (probe.periodSeconds ?? 10) * 1000;
	const firstMs = times.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000;
	const earlyMs = firstEarlyMs * 2 ** state.early;
	const isEarly = !ok && kind !== "liveness" && state.run.count === 0 && times.nowMs + earlyMs < firstMs + periodMs;
	if (isEarly) {
		return { state: { ...state, early: state.early + 1, nextAtMs: times.nowMs + earlyMs }, counted: false };
	}
	const count = state.run.ok === ok ? state.run.count + 1 : 1;
	const threshold = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
	const verdict = count >= threshold ? (ok ? "success" : "failure") : state.verdict;
	return {
		state: { verdict, run: { ok, count }, early: state.early, nextAtMs: times.nowMs + periodMs },
		counted: true,
	};
}
