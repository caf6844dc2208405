/** The shell of every controller: queue, own-write barrier, writes, backoff. The rules live in the controllers' plans. */
import { setMaxListeners } from "node:events";
import type { Client } from "../client/client.ts";
import type { Informer, Mirror } from "../client/mirror.ts";
import type { EventRecorder } from "../client/recorder.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { KubeObject } from "../core/object.ts";
import type { Kind } from "../kinds/kind.ts";
import type { ActionFailure, Controller, Plan } from "./controller.ts";
import { carryOut, FailedAction } from "./shell-actions.ts";
import { Barrier, isOutdated, reasonOf } from "./shell-barrier.ts";
import { KeyQueue } from "./shell-queue.ts";

export interface ShellParts {
	client: Client;
	mirror: Mirror;
	clock: Clock;
	/** Without it Events are not written. */
	recorder?: EventRecorder;
	/** Told of every failed plan; the key is tried again anyway. `key` is empty for failures that concern none. */
	onError?(error: unknown, controller: string, key: string): void;
}

export interface Shell {
	/** Looks at a key without a change having asked for it. */
	enqueue(key: string): void;
	/** Nothing is queued, planned or waited for, except for timers. */
	readonly idle: boolean;
	/** How many plans were made so far. */
	readonly planCount: number;
	/** Begins no further write; resolves when those under way have ended. The controller may then be started again. */
	stop(): Promise<void>;
}

/** Upstream's default rate limiter: 5 ms, doubled for every failure in a row, up to 1000 s. */
const firstBackoffMs = 5;
const longestBackoffMs = 1_000_000;
/** Plans from an outdated picture are repeated at once so many times in a row, then with backoff. */
const outdatedLimit = 5;
/** Longest stretch of planning without a turn of the event loop. */
const burstMs = 20;

export function startShell<State>(controller: Controller<State>, parts: ShellParts): Shell {
	const shell = new ControllerShell(controller, parts);
	shell.start();
	return shell;
}

/** What is remembered of a key while there is something to remember. */
interface KeyState {
	/** Planned and not settled yet: changes meanwhile make it `dirty`. */
	busy: boolean;
	dirty: boolean;
	/** Failures in a row, and how many of the last were for an outdated picture. */
	failures: number;
	outdated: number;
	failure: ActionFailure | undefined;
	barrier: Barrier;
	/** By the clock that nobody sets, as all that follows but the first timer. */
	plannedAtMs: number;
	/** When a plan asked to be made again; by the wall clock. */
	timer: Timer | undefined;
	timerAtMs: number;
	/** When it asked to be made again after some time, and since when plans have asked for that. */
	patience: Timer | undefined;
	patientSinceMs: number | undefined;
	/** The next attempt after a failure, if nothing wakes the key before. */
	retry: Timer | undefined;
	/** Changes gather until then. */
	gathering: Timer | undefined;
}

class ControllerShell<State> implements Shell {
	readonly #controller: Controller<State>;
	readonly #parts: ShellParts;
	readonly #client: Client;
	readonly #queue = new KeyQueue();
	readonly #states = new Map<string, KeyState>();
	/** Of the kinds whose barrier counts. */
	readonly #informers = new Map<Kind, Informer<KubeObject>>();
	readonly #stopping = new AbortController();
	readonly #working = new Set<Promise<void>>();
	readonly #endListening: (() => void)[] = [];
	#started: Promise<void> | undefined;
	#ready = false;
	#active = 0;
	#busy = 0;
	#pumping = false;
	#burstStartMs = 0;
	#lastPumpMs = 0;
	#planCount = 0;

	constructor(controller: Controller<State>, parts: ShellParts) {
		this.#controller = controller;
		this.#parts = parts;
		this.#client = parts.client.as(controller.name);
		// Every wait and every write under way listens for the end, and leaves when it is over.
		setMaxListeners(0, this.#stopping.signal);
	}

	get idle(): boolean {
		return this.#ready && this.#queue.size === 0 && this.#busy === 0;
	}

	get planCount(): number {
		return this.#planCount;
	}

	start(): void {
		this.#started = this.#start().catch((error: unknown) => {
			if (!this.#stopping.signal.aborted) this.#parts.onError?.(error, this.#controller.name, "");
		});
	}

	enqueue(key: string): void {
		if (this.#stopping.signal.aborted) return;
		const state = this.#states.get(key);
		if (state?.busy) {
			state.dirty = true;
			return;
		}
		if (state !== undefined && this.#controller.coalesceMs !== undefined) {
			const dueMs = state.plannedAtMs + this.#controller.coalesceMs(key, this.#parts.mirror);
			const waitMs = dueMs - this.#parts.clock.monotonicMs();
			if (waitMs > 0 && state.failures === 0) {
				state.gathering ??= this.#parts.clock.after(waitMs, () => this.#wake(key, state));
				return;
			}
		}
		this.#queue.add(key);
		this.#schedulePump();
	}

	async stop(): Promise<void> {
		this.#stopping.abort(new Error("the controller stops"));
		for (const end of this.#endListening) end();
		this.#queue.clear();
		for (const key of this.#states.keys()) this.#cancelTimers(key);
		await this.#started;
		await Promise.all(this.#working);
		this.#states.clear();
	}

	/** A shell that starts on a mirror in use first waits until that has seen all that an earlier shell may have written. */
	async #start(): Promise<void> {
		const { mirror } = this.#parts;
		const { signal } = this.#stopping;
		const informers: Informer<KubeObject>[] = [];
		const inUse: Informer<KubeObject>[] = [];
		for (const rule of this.#controller.watches) {
			const informer = mirror.of(rule.kind);
			for (const [name, values] of Object.entries(rule.indexes ?? {})) informer.addIndex(name, values);
			informers.push(informer);
			if (rule.barrier === false) continue;
			this.#informers.set(rule.kind, informer);
			if (informer.synced) inUse.push(informer);
		}
		await Promise.all(informers.map((informer) => informer.reached(0, signal)));
		if (inUse.length > 0) {
			const newest = await this.#persistently(() => this.#client.revision());
			await Promise.all(inUse.map((informer) => informer.reached(newest, signal)));
		}
		signal.throwIfAborted();
		this.#ready = true;
		this.#controller.watches.forEach((rule, index) => {
			const end = informers[index]?.onChange((current, old) => {
				for (const key of rule.keys(current, old, mirror)) this.enqueue(key);
			});
			if (end !== undefined) this.#endListening.push(end);
		});
		this.#schedulePump();
	}

	/** Changes are told while the API server commits, and often many in a row: plan after that, and once for all of them. */
	#schedulePump(): void {
		if (this.#pumping || !this.#ready) return;
		this.#pumping = true;
		const nowMs = this.#parts.clock.monotonicMs();
		// After a pause the event loop has turned; without one, promises alone may have led here.
		if (nowMs - this.#lastPumpMs > burstMs / 4) this.#burstStartMs = nowMs;
		// A promise that is resolved already: nothing can fail before the pump, and the pump does not throw.
		Promise.resolve().then(() => this.#pump(), undefined);
	}

	#pump(): void {
		const { clock } = this.#parts;
		const concurrency = this.#controller.concurrency ?? 5;
		while (this.#active < concurrency && !this.#stopping.signal.aborted) {
			this.#lastPumpMs = clock.monotonicMs();
			if (this.#lastPumpMs - this.#burstStartMs > burstMs) {
				clock.after(0, () => {
					this.#burstStartMs = clock.monotonicMs();
					this.#pump();
				});
				return;
			}
			const key = this.#queue.take();
			if (key === undefined) break;
			this.#work(key);
		}
		this.#pumping = false;
	}

	#work(key: string): void {
		const state = this.#stateOf(key);
		state.timer?.cancel();
		state.timer = undefined;
		state.patience?.cancel();
		state.patience = undefined;
		state.gathering?.cancel();
		state.gathering = undefined;
		state.plannedAtMs = this.#parts.clock.monotonicMs();
		let plan: Plan | undefined;
		try {
			plan = this.#plan(key, state);
		} catch (error) {
			this.#settle(key, state, undefined, error);
			return;
		}
		if (plan === undefined) {
			this.#forget(key);
			return;
		}
		if (plan.actions.length === 0) {
			this.#settle(key, state, plan, undefined);
			return;
		}
		const working = this.#act(key, state, plan).catch((error: unknown) =>
			this.#parts.onError?.(error, this.#controller.name, key),
		);
		this.#working.add(working);
		working.then(() => this.#working.delete(working), undefined);
	}

	#plan(key: string, state: KeyState): Plan | undefined {
		const gathered = this.#controller.gather(key, this.#parts.mirror);
		if (gathered === undefined) return undefined;
		this.#planCount++;
		const { clock } = this.#parts;
		const waitedMs = state.patientSinceMs === undefined ? 0 : clock.monotonicMs() - state.patientSinceMs;
		const { failure } = state;
		return this.#controller.plan(gathered, { nowMs: clock.now(), random: clock.random, failure, waitedMs });
	}

	async #act(key: string, state: KeyState, plan: Plan): Promise<void> {
		const { signal } = this.#stopping;
		state.busy = true;
		state.dirty = false;
		this.#busy++;
		this.#active++;
		let failure: unknown;
		try {
			await carryOut(plan.actions, {
				client: this.#client,
				recorder: this.#parts.recorder,
				component: this.#controller.component,
				barrier: state.barrier,
				known: (kind, ref) => this.#informers.get(kind)?.get(ref.namespace, ref.name),
				signal,
			});
		} catch (error) {
			failure = error;
		}
		this.#active--;
		this.#schedulePump();
		try {
			// One that waits for the Mirror holds up no other key.
			while (!state.barrier.empty) {
				await this.#persistently(() =>
					state.barrier.passed(
						(kind) => this.#informers.get(kind),
						() => this.#client.revision(),
						signal,
					),
				);
			}
		} catch (error) {
			if (!signal.aborted) throw error;
		} finally {
			state.busy = false;
			this.#busy--;
		}
		if (!signal.aborted) this.#settle(key, state, plan, failure);
	}

	/** After a plan: what is to happen next with the key. */
	#settle(key: string, state: KeyState, plan: Plan | undefined, failure: unknown): void {
		const dirty = state.dirty;
		state.dirty = false;
		if (failure === undefined) {
			state.failures = 0;
			state.outdated = 0;
			state.failure = undefined;
			state.retry?.cancel();
			state.retry = undefined;
		} else {
			this.#failed(key, state, failure);
		}
		if (plan?.requeueAtMs !== undefined) this.#wakeAt(key, state, plan.requeueAtMs);
		if (plan?.requeueAfterMs !== undefined) this.#wakeAfter(key, state, plan.requeueAfterMs);
		else if (failure === undefined) state.patientSinceMs = undefined;
		if (dirty) this.enqueue(key);
		else if (!this.#isRemembered(key, state)) this.#states.delete(key);
	}

	/** A key that has nothing to remember gets a new state when it is queued again. */
	#isRemembered(key: string, state: KeyState): boolean {
		if (state.failures > 0 || state.timer !== undefined || state.patience !== undefined) return true;
		return (this.#controller.coalesceMs?.(key, this.#parts.mirror) ?? 0) > 0;
	}

	#failed(key: string, state: KeyState, failure: unknown): void {
		const cause = failure instanceof FailedAction ? failure.cause : failure;
		this.#parts.onError?.(cause, this.#controller.name, key);
		state.failure = { do: "event", ...(failure instanceof FailedAction ? failure.action : {}), ...reasonOf(cause) };
		state.outdated = isOutdated(cause) ? state.outdated + 1 : 0;
		if (state.outdated > 0 && state.outdated <= outdatedLimit) {
			// The barrier has let the Mirror catch up.
			state.failures = Math.max(state.failures, 1);
			this.enqueue(key);
			return;
		}
		// A change led to this attempt before the next was due: that one stays where it is, and is not put off by changes that go on coming.
		if (state.retry !== undefined) return;
		state.failures++;
		const delayMs = Math.min(firstBackoffMs * 2 ** (state.failures - 1), longestBackoffMs);
		const { clock } = this.#parts;
		state.retry = clock.after(delayMs * (0.75 + 0.5 * clock.random()), () => {
			state.retry = undefined;
			this.#wake(key, state);
		});
	}

	/** The earliest wish wins: the plan that is made then says when the next is due. */
	#wakeAt(key: string, state: KeyState, atMs: number): void {
		if (this.#stopping.signal.aborted) return;
		if (state.timer !== undefined && state.timerAtMs <= atMs) return;
		state.timer?.cancel();
		state.timerAtMs = atMs;
		const { clock } = this.#parts;
		state.timer = clock.after(Math.max(atMs - clock.now(), 0), () => {
			state.timer = undefined;
			// A clock that was set back lets a timer fire too early.
			if (clock.now() < atMs) this.#wakeAt(key, state, atMs);
			else this.#wake(key, state);
		});
	}

	#wakeAfter(key: string, state: KeyState, delayMs: number): void {
		if (this.#stopping.signal.aborted) return;
		const { clock } = this.#parts;
		state.patientSinceMs ??= clock.monotonicMs();
		state.patience?.cancel();
		state.patience = clock.after(delayMs, () => {
			state.patience = undefined;
			this.#wake(key, state);
		});
	}

	#wake(key: string, state: KeyState): void {
		if (state.busy) {
			state.dirty = true;
			return;
		}
		this.#queue.add(key);
		this.#schedulePump();
	}

	#stateOf(key: string): KeyState {
		let state = this.#states.get(key);
		if (state === undefined) {
			state = {
				busy: false,
				dirty: false,
				failures: 0,
				outdated: 0,
				failure: undefined,
				barrier: new Barrier(),
				plannedAtMs: 0,
				timer: undefined,
				timerAtMs: 0,
				patience: undefined,
				patientSinceMs: undefined,
				retry: undefined,
				gathering: undefined,
			};
			this.#states.set(key, state);
		}
		return state;
	}

	#forget(key: string): void {
		this.#cancelTimers(key);
		this.#states.delete(key);
	}

	#cancelTimers(key: string): void {
		const state = this.#states.get(key);
		state?.timer?.cancel();
		state?.patience?.cancel();
		state?.retry?.cancel();
		state?.gathering?.cancel();
	}

	/** Until it works or the shell stops: a server that cannot be reached is waited for. */
	async #persistently<T>(attempt: () => Promise<T>): Promise<T> {
		const { clock } = this.#parts;
		for (let delayMs = 10; ; delayMs = Math.min(delayMs * 2, 10_000)) {
			this.#stopping.signal.throwIfAborted();
			try {
				return await attempt();
			} catch (error) {
				if (this.#stopping.signal.aborted) throw error;
			}
			await clock.sleep(delayMs * (0.75 + 0.5 * clock.random()), this.#stopping.signal);
		}
	}
}
