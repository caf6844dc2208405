/**
 * Records runs. Level-triggered: every change marks a Job, and some time later its run is computed from everything
 * known and written if it differs (run-writer.ts). No component waits for it. It catches up after downtime: Jobs and
 * pods still exist, or their removal has left a fact.
 */
import { objectKey } from "../api/cache/keys.ts";
import type { KeptLogName, KeptLogs } from "../api/server/kept-logs.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import type { EndedLog } from "../core/ended-log.ts";
import { controllerOf } from "../core/object.ts";
import type { Clock, Timer } from "../core/time/clock.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import { jobs } from "../kinds/batch/job.ts";
import { isJobFinished } from "../kinds/batch/job-finished.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import type { Job, Pod } from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { isFinished } from "../kinds/pod/pod-lifecycle.ts";
import type { Store } from "../store/store.ts";
import { takeLogs } from "./log-intake.ts";
import { Marks } from "./marks.ts";
import { type KeptLog, readLog } from "./records/archive.ts";
import { decodeFact, type StoredFact } from "./records/facts.ts";
import { factRoot } from "./records/keys.ts";
import type { HistorySettings } from "./retention/settings.ts";
import { RunStore } from "./run-store.ts";
import { RunWriter, type Tell } from "./run-writer.ts";
import { Skips } from "./skips.ts";
import { Waiting } from "./waiting.ts";

/** How long changes are collected before a finished run is written, and before a run in progress is written. */
const endedDelayMs = 250;
const runningDelayMs = 2000;
/** The same for a finished run whose logs have not arrived yet; it then needs only one write. */
const loglessDelayMs = 750;
/** The same for a Job with many pods, whose run is more expensive to compute. */
const largeDelayMs = 15_000;
const largeJobPods = 100;
const manyMarks = 100;
const retryMs = 1000;
/** The number of runs written at a time, before the next turn of the event loop. */
const batchRuns = 32;
/** The interval for pruning runs by age. */
const pruneMs = 3_600_000;

export interface RecorderParts {
	/** Other users of the store wrap it with `keepRemoved`; the recorder itself removes no Jobs or pods. */
	store: Store;
	clock: Clock;
	settings: HistorySettings;
	onError?(error: unknown): void;
}

export class Recorder implements KeptLogs {
	readonly #parts: RecorderParts;
	readonly #marks: Marks;
	readonly #waiting = new Waiting();
	readonly #gone = new Set<string>();
	readonly #ends: (() => void)[] = [];
	readonly #stopping = new AbortController();
	readonly #runs: RunStore;
	readonly #skips: Skips;
	#writer: RunWriter | undefined;
	#informers: InformerCache | undefined;
	#tell: Tell | undefined;
	#pruning: Timer | undefined;

	constructor(parts: RecorderParts) {
		this.#parts = parts;
		this.#marks = new Marks(
			parts.clock,
			() => this.#writeDue(),
			(error) => parts.onError?.(error),
		);
		this.#runs = new RunStore(parts.store, parts.settings, parts.clock);
		this.#skips = new Skips({
			clock: parts.clock,
			onError: (error) => parts.onError?.(error),
			tell: (cronJob, text) => this.#tell?.(cronJob, text),
			write: async ({ namespace, name }, run) => {
				if (await this.#exists(namespace)) await this.#runs.replace(namespace, name, run);
			},
		});
	}

	/** Resolves when everything that happened during downtime has been found; waiting for it is optional. */
	async start(informers: InformerCache, tell?: Tell): Promise<void> {
		this.#informers = informers;
		this.#tell = tell;
		const { signal } = this.#stopping;
		let lastAliveMs: number | undefined;
		for (;;) {
			try {
				lastAliveMs ??= await this.#runs.lastAliveMs();
				const wanted = [informers.of(jobs), informers.of(pods), informers.of(namespaces), informers.of(cronJobs)];
				await Promise.all(wanted.map((informer) => informer.reached(0, signal)));
				await this.#load(informers);
				break;
			} catch (error) {
				if (signal.aborted) return;
				this.#parts.onError?.(error);
				await this.#parts.clock.sleep(retryMs, signal).catch(() => {});
			}
		}
		if (signal.aborted) return;
		this.#writer = this.#createWriter(informers);
		this.#ends.push(
			informers.of(jobs).onChange((current, old) => {
				if (old === undefined && current !== undefined) this.#skips.seen(current);
				// Its result is known.
				if (current === undefined || old === undefined || !isJobFinished(old)) this.#jobChanged(current ?? old);
			}),
			informers.of(pods).onChange((current, old) => {
				if (current === undefined || old === undefined || !isFinished(old)) this.#podChanged(current ?? old);
			}),
			informers.of(namespaces).onChange((current, old) => {
				if (current === undefined && old !== undefined) this.#namespaceGone(old.metadata.name);
			}),
		);
		this.#marks.start();
		if (this.#gone.size > 0) this.#marks.wake(0);
		this.#skips.start(informers, lastAliveMs);
		this.#prunePeriodically();
	}

	/** Resolves when the work in progress is complete. The next start finds what is still marked. */
	async stop(): Promise<void> {
		this.#stopping.abort(new Error("the recorder stops"));
		for (const end of this.#ends) end();
		this.#pruning?.cancel();
		await Promise.all([this.#marks.stop(), this.#skips.stop()]);
		this.#waiting.refuseLogs();
	}

	/** A fact was written: see `keepRemoved`. */
	readonly told = (stored: StoredFact): void => {
		const job = this.#waiting.addFact(stored);
		if (job !== undefined) this.#marks.mark(job, this.#endedDelay(job.uid));
	};

	receive(logs: readonly EndedLog[], node: string | undefined): Promise<boolean[]> {
		const { logBytes } = this.#parts.settings;
		const podOf = (log: EndedLog) => this.#podOf(log) ?? (this.#writer === undefined ? "later" : undefined);
		return takeLogs({ runStore: this.#runs, logBytes, podOf, keep: (log) => this.#keep(log) }, logs, node);
	}

	/** Written together with its run when that is due. */
	#keep(log: KeptLog): Promise<boolean> {
		if (this.#stopping.signal.aborted) return Promise.resolve(false);
		const { namespace, jobName: name, jobUid: uid } = log.fact.ended;
		const kept = this.#waiting.addLog(log);
		this.#marks.mark({ namespace, name, uid }, this.#delayFor(uid, this.#informers?.of(jobs).get(namespace, name)));
		return kept;
	}

	read(name: KeptLogName): Promise<Buffer | undefined> {
		return readLog(this.#parts.store, name);
	}

	/** The pod's current or last state. */
	#podOf(log: EndedLog): Pod | undefined {
		const removed = this.#waiting.podOf(log);
		if (removed !== undefined) return removed;
		const seen = this.#informers?.of(pods).get(log.namespace, log.podName);
		return seen?.metadata.uid === log.podUid ? seen : undefined;
	}

	#createWriter(informers: InformerCache): RunWriter {
		return new RunWriter({
			runStore: this.#runs,
			waiting: this.#waiting,
			marks: this.#marks,
			informers,
			clock: this.#parts.clock,
			tell: this.#tell,
			exists: (namespace) => this.#exists(namespace),
			loadFacts: (prefix) => this.#loadFacts(prefix),
		});
	}

	async #load(informers: InformerCache): Promise<void> {
		for await (const run of this.#runs.load()) {
			this.#skips.known(run);
			const { jobName, jobUID } = run.spec;
			// Regardless of what happened during downtime.
			if (run.status.logs === "Pending" && jobName !== undefined && jobUID !== undefined)
				this.#marks.mark({ namespace: run.metadata.namespace ?? "", name: jobName, uid: jobUID }, endedDelayMs);
		}
		await this.#loadFacts(factRoot);
		const there = new Set([...informers.of(namespaces).list()].map(({ metadata }) => metadata.name));
		for (const { namespace } of this.#runs.index.all()) if (!there.has(namespace)) this.#namespaceGone(namespace);
	}

	async #loadFacts(prefix: string): Promise<void> {
		for await (const { key, value } of this.#runs.entries(prefix)) this.told({ key, fact: decodeFact(value) });
	}

	#jobChanged(job: Job | undefined): void {
		if (job === undefined) return;
		const { namespace = "", name, uid } = job.metadata;
		// Later changes of a running Job do not make it due earlier.
		if (this.#marks.dueMs(uid) !== undefined && !isJobFinished(job)) return;
		this.#marks.mark({ namespace, name, uid }, this.#delayFor(uid, job));
	}

	#podChanged(pod: Pod | undefined): void {
		const owner = pod && controllerOf(pod);
		if (owner?.kind !== jobs.kind) return;
		const namespace = pod?.metadata.namespace ?? "";
		const dueMs = this.#marks.dueMs(owner.uid);
		// Thousands of changes, few of which add information.
		if (dueMs !== undefined && dueMs <= this.#parts.clock.monotonicMs() + endedDelayMs) return;
		const job = this.#informers?.of(jobs).get(namespace, owner.name);
		this.#marks.mark({ namespace, name: owner.name, uid: owner.uid }, this.#delayFor(owner.uid, job));
	}

	/** @param job of that name, if there is one */
	#delayFor(uid: string, job: Job | undefined): number {
		if (job?.metadata.uid !== uid || isJobFinished(job)) return this.#endedDelay(uid);
		const pods = Math.max(job.spec.completions ?? 1, job.spec.parallelism ?? 1);
		// With a thousand Jobs at once, most runs are written only when they have ended.
		return pods > largeJobPods || this.#marks.size > manyMarks ? largeDelayMs : runningDelayMs;
	}

	#endedDelay(jobUid: string): number {
		return this.#waiting.logsOf(jobUid).length > 0 ? endedDelayMs : loglessDelayMs;
	}

	async #writeDue(): Promise<void> {
		for (const namespace of [...this.#gone]) await this.#forgetNamespace(namespace);
		for (;;) {
			const due = this.#marks.take(batchRuns);
			if (due.length === 0 || this.#stopping.signal.aborted) return;
			try {
				await this.#writer?.write(due);
			} catch (error) {
				for (const marked of due) this.#marks.mark(marked, retryMs);
				throw error;
			}
			if (due.length < batchRuns) return;
			await this.#parts.clock.sleep(0, this.#stopping.signal).catch(() => {});
		}
	}

	/** Asks the store, because the informer cache may lag behind. */
	async #exists(namespace: string): Promise<boolean> {
		if (this.#informers?.of(namespaces).get(undefined, namespace) !== undefined) return true;
		return (await this.#parts.store.get(objectKey(namespaces, undefined, namespace))) !== undefined;
	}

	#namespaceGone(namespace: string): void {
		this.#gone.add(namespace);
		this.#marks.wake(endedDelayMs);
	}

	async #forgetNamespace(namespace: string): Promise<void> {
		if (!(await this.#exists(namespace))) this.#waiting.factsGone(await this.#runs.removeNamespace(namespace));
		this.#gone.delete(namespace);
	}

	#prunePeriodically(): void {
		if (this.#stopping.signal.aborted) return;
		this.#pruning = this.#parts.clock.after(pruneMs, () => {
			this.#runs
				.prune()
				.catch((error: unknown) => this.#parts.onError?.(error))
				.finally(() => this.#prunePeriodically());
		});
	}
}
