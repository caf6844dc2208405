/** How the results of a probe lead to a verdict, and when the next probe is due (API page "Configure Probes"). Pure. */
import type { Probe } from "../../kinds/generated/types.ts";

export type ProbeKind = "startup" | "readiness" | "liveness";

export interface ProbeState {
	/** The current verdict, confirmed by the thresholds. */
	verdict: "success" | "failure" | "unknown";
	/** The number of equal results in a row. */
	run: { ok: boolean; count: number };
	/** The number of early attempts so far. */
	early: number;
	nextAtMs: number;
}

/** The delay of the first early attempt; it doubles with each one. */
const firstEarlyMs = 100;

/** A container begins unready and alive, with its startup unknown. */
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
 * During the first period, a container that is not ready is probed again earlier than the period says, and such
 * failures do not count: a container is detected as ready when it is, not up to one period later.
 * @returns `counted: false` for a failure that is not reported
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
