/** The shell of every controller: queue, expectations, writes, backoff. The rules are in the controllers' plans. */
import { setMaxListeners } from "node:events";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/recorder.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import { isReason } from "../../core/errors.ts";
import { MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { ActionFailure, Controller, Plan } from "./controller.ts";
import { Expectations, isOutdated, reasonOf } from "./expectations.ts";
import { carryOut, FailedAction } from "./shell-actions.ts";
import { KeyState } from "./shell-key.ts";
import { ShellPump } from "./shell-pump.ts";
import { KeyQueue } from "./shell-queue.ts";
import { ShellWatches } from "./shell-watches.ts";
import { type QueueMetrics, WorkqueueMetrics } from "./workqueue-metrics.ts";

export interface ShellParts {
	client: Client;
	informers: InformerCache;
	/**
	 * The store's newest revision, for the expectations: most controllers are not allowed to request it. Default: from
	 * their client.
	 */
	revision?(): Promise<number>;
	clock: Clock;
	/** Absent: Events are not written. */
	recorder?: EventRecorder;
	/** For metrics of the queue. */
	metrics?: WorkqueueMetrics;
	/**
	 * Called for every failed plan, except for a Conflict; the key is retried anyway. `key` is empty for failures without
	 * a key.
	 */
	onError?(error: unknown, controller: string, key: string): void;
}

export interface Shell {
	/** Syncs a key without a change. */
	enqueue(key: string): void;
	/** Whether nothing is queued, planned or waited for, except for timers. */
	readonly idle: boolean;
	/** The number of plans so far. */
	readonly planCount: number;
	/** Starts no further write; resolves when those in progress have ended. The controller may then be started again. */
	stop(): Promise<void>;
}

/** The number of keys processed concurrently, so that waiting for the disk does not delay a thousand Jobs. */
const defaultConcurrency = 32;

export function startShell<State>(controller: Controller<State>, parts: ShellParts): Shell {
	const shell = new ControllerShell(controller, parts);
	shell.start();
	return shell;
}

class ControllerShell<State> implements Shell {
	readonly #controller: Controller<State>;
	readonly #parts: ShellParts;
	readonly #client: Client;
	readonly #revision: () => Promise<number>;
	readonly #queue = new KeyQueue();
	readonly #metrics: QueueMetrics;
	readonly #states = new Map<string, KeyState>();
	readonly #stopping = new AbortController();
	readonly #watches: ShellWatches;
	readonly #pump: ShellPump;
	readonly #working = new Set<Promise<void>>();
	#started: Promise<void> | undefined;
	#ready = false;
	#busy = 0;
	#planCount = 0;

	constructor(controller: Controller<State>, parts: ShellParts) {
		this.#controller = controller;
		this.#parts = parts;
		this.#client = parts.client;
		this.#revision = parts.revision ?? (() => this.#client.revision());
		this.#metrics = (parts.metrics ?? new WorkqueueMetrics(new MetricRegistry())).queue(controller.name, () => ({
			depth: this.#queue.size,
			begunMs: [...this.#states.values()].filter(({ busy }) => busy).map(({ plannedAtMs }) => plannedAtMs),
			nowMs: parts.clock.monotonicMs(),
		}));
		// Every wait and write in progress has a listener, and removes it when it ends.
		setMaxListeners(0, this.#stopping.signal);
		this.#watches = new ShellWatches({
			controller,
			informers: parts.informers,
			clock: parts.clock,
			enqueue: (key) => this.enqueue(key),
			caughtUp: () => this.#pump.schedule(),
			signal: this.#stopping.signal,
		});
		this.#pump = new ShellPump({
			queue: this.#queue,
			clock: parts.clock,
			concurrency: controller.concurrency ?? defaultConcurrency,
			mayPlan: () => this.#ready && !this.#watches.isBehind && !this.#stopping.signal.aborted,
			plan: (key, queuedForMs) => {
				this.#metrics.waitSeconds.observe(queuedForMs / 1000);
				this.#work(key);
			},
		});
	}

	get idle(): boolean {
		return this.#ready && this.#queue.size === 0 && this.#busy === 0 && !this.#watches.isBehind;
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
		if (state?.gathers(this.#coalesceMs(key))) return;
		this.#add(key);
	}

	#add(key: string): void {
		const nowMs = this.#parts.clock.monotonicMs();
		if (this.#queue.add(key, nowMs)) this.#metrics.adds.inc();
		this.#pump.schedule(nowMs);
	}

	async stop(): Promise<void> {
		this.#stopping.abort(new Error("the controller stops"));
		this.#watches.end();
		this.#queue.clear();
		for (const state of this.#states.values()) state.cancel();
		await this.#started;
		await Promise.all(this.#working);
		this.#states.clear();
	}

	/**
	 * A shell that starts on an informer cache in use first waits until the cache has seen all possible writes of an
	 * earlier shell.
	 */
	async #start(): Promise<void> {
		await this.#watches.synced(() => this.#persistently(this.#revision));
		this.#stopping.signal.throwIfAborted();
		this.#ready = true;
		this.#watches.listen();
		this.#pump.schedule();
	}

	#work(key: string): void {
		let state = this.#states.get(key);
		if (state === undefined) {
			state = new KeyState(key, this.#parts.clock, this.#wake);
			this.#states.set(key, state);
		}
		state.begin();
		let plan: Plan | undefined;
		try {
			plan = this.#plan(state);
		} catch (error) {
			this.#settle(state, undefined, error);
			return;
		}
		if (plan === undefined) {
			this.#worked(state);
			state.cancel();
			this.#states.delete(key);
			return;
		}
		if (plan.actions.length === 0) {
			this.#settle(state, plan, undefined);
			return;
		}
		const working = this.#act(state, plan).catch((error: unknown) =>
			this.#parts.onError?.(error, this.#controller.name, key),
		);
		this.#working.add(working);
		working.then(() => this.#working.delete(working), undefined);
	}

	#plan(state: KeyState): Plan | undefined {
		const { failure, waitedMs, memory } = state;
		const gathered = this.#controller.gather(state.key, this.#parts.informers);
		if (gathered === undefined) return undefined;
		this.#planCount++;
		const { clock } = this.#parts;
		const context = { nowMs: clock.now(), random: clock.random, failure, waitedMs, memory };
		const plan = this.#controller.plan(gathered, context);
		state.memory = plan.memory;
		return plan;
	}

	async #act(state: KeyState, plan: Plan): Promise<void> {
		const { signal } = this.#stopping;
		state.busy = true;
		state.dirty = false;
		this.#busy++;
		this.#pump.began();
		const expectations = new Expectations();
		let failure: unknown;
		try {
			await carryOut(plan.actions, {
				client: this.#client,
				recorder: this.#parts.recorder,
				component: this.#controller.component,
				expectations,
				known: (kind, ref) => this.#watches.informer(kind)?.get(ref.namespace, ref.name),
				signal,
			});
		} catch (error) {
			failure = error;
		}
		this.#pump.ended();
		try {
			// A key that waits for the informer cache does not delay other keys.
			while (!expectations.empty) {
				await this.#persistently(() =>
					expectations.passed((kind) => this.#watches.informer(kind), this.#revision, signal),
				);
			}
		} catch (error) {
			if (!signal.aborted) throw error;
		} finally {
			state.busy = false;
			this.#busy--;
		}
		if (!signal.aborted) this.#settle(state, plan, failure);
	}

	/** After a plan: determines what happens next with the key. `plan` is undefined if planning failed. */
	#settle(state: KeyState, plan: Plan | undefined, failure: unknown): void {
		const { key } = state;
		this.#worked(state);
		let isDue = state.dirty;
		state.dirty = false;
		if (plan !== undefined && failure === undefined) state.succeeded(plan);
		else if (this.#failed(state, plan, failure)) isDue = true;
		if (isDue) this.enqueue(key);
		// A key without state gets a new one when it is queued again.
		else if (!state.isRemembered && this.#coalesceMs(key) === 0) this.#states.delete(key);
	}

	#worked({ plannedAtMs }: KeyState): void {
		this.#metrics.workSeconds.observe((this.#parts.clock.monotonicMs() - plannedAtMs) / 1000);
	}

	#failed(state: KeyState, plan: Plan | undefined, failure: unknown): boolean {
		const cause = failure instanceof FailedAction ? failure.cause : failure;
		this.#metrics.retries.inc();
		// Someone else was faster: the next plan starts from what they wrote.
		if (!isReason(cause, "Conflict")) this.#parts.onError?.(cause, this.#controller.name, state.key);
		const action: ActionFailure = {
			do: "event",
			...(failure instanceof FailedAction ? failure.action : {}),
			...reasonOf(cause),
		};
		return state.failed(plan, action, isOutdated(cause));
	}

	#coalesceMs(key: string): number {
		return this.#controller.coalesceMs?.(key, this.#parts.informers) ?? 0;
	}

	readonly #wake = (state: KeyState): void => {
		if (state.busy) {
			state.dirty = true;
			return;
		}
		this.#add(state.key);
	};

	/** Retries until it succeeds or the shell stops: waits for a server that cannot be reached. */
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
