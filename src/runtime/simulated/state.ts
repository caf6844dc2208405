/** What a simulated node runs: its sandboxes and containers, and when they end. */
import { type Clock, microTimestamp, type Timer } from "../../core/time/clock.ts";
import type { Container, Sandbox } from "../runtime.ts";

/** How a running container ends by itself. */
interface End {
	readonly atMs: number;
	readonly exitCode: number;
}

export interface Entry {
	container: Container;
	log: string;
	timer?: Timer;
	/** Undefined: it runs until it is stopped. */
	end?: End;
	/** Called once, when the container exits. */
	onExit: ((exitCode: number) => void)[];
}

/** Oldest first. */
export interface PodIds {
	sandboxes: readonly string[];
	containers: readonly string[];
}

/** The sandboxes and containers of a simulated node. A restart of the agent gives it to the next runtime. */
export interface SimulatedState {
	sandboxes: Map<string, Sandbox>;
	containers: Map<string, Entry>;
	/** Ids by pod UID: the cost of a pod does not depend on the number of other pods. */
	pods: Map<string, PodIds>;
	sequence: number;
	/** Of all runtimes that use this state: the next runtime reports the exit of an earlier one's container. */
	listeners: Set<(podUid: string) => void>;
}

/** The state at a moment, which can be resumed any number of times. */
export interface SavedState {
	readonly atMs: number;
	readonly sandboxes: ReadonlyMap<string, Sandbox>;
	readonly containers: ReadonlyMap<string, Pick<Entry, "container" | "log" | "end">>;
	readonly pods: ReadonlyMap<string, PodIds>;
	readonly sequence: number;
}

export function simulatedState(): SimulatedState {
	return { sandboxes: new Map(), containers: new Map(), pods: new Map(), sequence: 0, listeners: new Set() };
}

export function saveState({ sandboxes, containers, pods, sequence }: SimulatedState, nowMs: number): SavedState {
	return {
		atMs: nowMs,
		sandboxes: new Map(sandboxes),
		containers: new Map(
			[...containers].map(([id, { container, log, end }]) => [id, { container, log, ...(end && { end }) }]),
		),
		pods: new Map([...pods].map(([uid, ids]) => [uid, { ...ids }])),
		sequence,
	};
}

/** Containers go on where they were: what was left of their time then is left now. */
export function resumeState(saved: SavedState, clock: Clock): SimulatedState {
	const state = simulatedState();
	for (const [id, sandbox] of saved.sandboxes) state.sandboxes.set(id, sandbox);
	for (const [uid, ids] of saved.pods) state.pods.set(uid, { ...ids });
	state.sequence = saved.sequence;
	for (const [id, { container, log, end }] of saved.containers) {
		const entry: Entry = { container, log, onExit: [] };
		state.containers.set(id, entry);
		if (end !== undefined) endLater(state, entry, { afterMs: end.atMs - saved.atMs, exitCode: end.exitCode }, clock);
	}
	return state;
}

/** Lets a container exit by itself, which the listeners are told. */
export function endLater(
	state: SimulatedState,
	entry: Entry,
	{ afterMs, exitCode }: { afterMs: number; exitCode: number },
	clock: Clock,
): void {
	entry.end = { atMs: clock.now() + afterMs, exitCode };
	entry.timer = clock.after(afterMs, () => {
		finish(entry, exitCode, clock);
		const podUid = state.sandboxes.get(entry.container.sandboxId)?.config.podUid ?? "";
		for (const listener of state.listeners) listener(podUid);
	});
}

export function finish(entry: Entry, exitCode: number, clock: Clock): void {
	if (entry.container.state === "exited") return;
	entry.timer?.cancel();
	delete entry.timer;
	delete entry.end;
	addLine(entry, `${entry.container.config.name} ended with exit code ${exitCode}`, clock);
	const reason = exitCode === 0 ? "Completed" : "Error";
	change(entry, { state: "exited", finishedAtMs: clock.now(), exitCode, reason });
	for (const exited of entry.onExit.splice(0)) exited(exitCode);
}

/** To its log. */
export function addLine(entry: Entry, line: string, clock: Clock): void {
	entry.log += `${microTimestamp(clock.now())} stdout F ${line}\n`;
}

/** Replaces the container by a new object: callers may hold the old one. */
export function change(entry: Entry, changes: Partial<Container>): void {
	entry.container = Object.assign({}, entry.container, changes);
}
