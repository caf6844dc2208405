/**
 * Writes the runs. Level-triggered: whatever happens marks a Job, and some time later its run is made of all that is
 * known then, and written if it differs. Nobody waits for it, and what it misses by being away it finds when it is
 * back: Jobs and pods are there still, or their removal has left a fact.
 */

import { objectKey } from "../api/cache/keys.ts";
import type { KeptLogName, KeptLogs } from "../api/kept-logs.ts";
import type { Mirror } from "../client/mirror.ts";
import { type Clock, parseTimestamp, type Timer } from "../core/clock.ts";
import type { EndedLog } from "../core/ended-log.ts";
import { sameJson } from "../core/equal.ts";
import { controllerOf, type KubeObject } from "../core/object.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import { jobs } from "../kinds/batch/job.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import type { Job, Pod } from "../kinds/generated/types.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import type { Store } from "../store/store.ts";
import { type KeptLog, readLog } from "./archive.ts";
import { decodeFact, jobOfFact, type StoredFact } from "./facts.ts";
import { failureText } from "./failure-text.ts";
import { factPrefix, factRoot, runName } from "./keys.ts";
import { takeLogs } from "./log-intake.ts";
import { type Marked, Marks } from "./marks.ts";
import { logPatienceMs, runOf } from "./run-of.ts";
import { RunStore, type RunWrite } from "./run-store.ts";
import type { HistorySettings } from "./settings.ts";
import { Skips } from "./skips.ts";

/** How long changes gather before a run that has ended is written, and one that goes on. */
const endedDelayMs = 250;
const runningDelayMs = 2000;
/** The same for a Job of many pods, which costs more to look at. */
const largeDelayMs = 15_000;
const largeJobPods = 100;
const manyMarks = 100;
const retryMs = 1000;
/** Runs written by one commit, with a turn of the event loop before the next. */
const batchRuns = 32;
/** How often runs are looked at for their age. */
const pruneMs = 3_600_000;

export interface RecorderParts {
	/** With `keepRemoved` around it for everybody else; the recorder itself removes no Job and no pod. */
	store: Store;
	clock: Clock;
	settings: HistorySettings;
	onError?(error: unknown): void;
}

/** Records an Event. */
export type Tell = (
	regarding: KubeObject,
	text: { type: "Normal" | "Warning"; reason: string; message: string },
) => void;

interface Brought {
	log: KeptLog;
	resolve(isDone: boolean): void;
}

/** A run as it is to be written. */
interface Draft extends RunWrite {
	logs: readonly Brought[];
	before: Run | undefined;
	/** Keys of the facts that it has taken in. */
	facts: string[];
	/** When it is to be looked at again. */
	againMs?: number;
}

export class Recorder implements KeptLogs {
	readonly #parts: RecorderParts;
	readonly #marks: Marks;
	/** By the UID of the Job. */
	readonly #facts = new Map<string, StoredFact[]>();
	/** Logs that wait for their run to be written, by the UID of the Job. */
	readonly #brought = new Map<string, Brought[]>();
	readonly #gone = new Set<string>();
	readonly #ends: (() => void)[] = [];
	readonly #stopping = new AbortController();
	readonly #runs: RunStore;
	readonly #skips: Skips;
	#mirror: Mirror | undefined;
	#tell: Tell | undefined;
	#pruning: Timer | undefined;
	#ready = false;

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

	/** Resolves when everything that happened while nobody recorded has been found; it need not be waited for. */
	async start(mirror: Mirror, tell?: Tell): Promise<void> {
		this.#mirror = mirror;
		this.#tell = tell;
		const { signal } = this.#stopping;
		let lastAliveMs: number | undefined;
		for (;;) {
			try {
				lastAliveMs ??= await this.#runs.lastAliveMs();
				const wanted = [mirror.of(jobs), mirror.of(pods), mirror.of(namespaces), mirror.of(cronJobs)];
				await Promise.all(wanted.map((informer) => informer.reached(0, signal)));
				await this.#load(mirror);
				break;
			} catch (error) {
				if (signal.aborted) return;
				this.#parts.onError?.(error);
				await this.#parts.clock.sleep(retryMs, signal).catch(() => {});
			}
		}
		if (signal.aborted) return;
		this.#ready = true;
		this.#ends.push(
			mirror.of(jobs).onChange((current, old) => {
				// How it ended is known.
				if (current === undefined || old === undefined || !isFinished(old)) this.#jobChanged(current ?? old);
			}),
			mirror.of(pods).onChange((current, old) => {
				if (current === undefined || old === undefined || !isOver(old)) this.#podChanged(current ?? old);
			}),
			mirror.of(namespaces).onChange((current, old) => {
				if (current === undefined && old !== undefined) this.#namespaceGone(old.metadata.name);
			}),
		);
		this.#marks.start();
		if (this.#gone.size > 0) this.#marks.wake(0);
		this.#skips.start(mirror, lastAliveMs);
		this.#prunePeriodically();
	}

	/** Ends when what is under way is done. What is marked will be found at the next start. */
	async stop(): Promise<void> {
		this.#stopping.abort(new Error("the recorder stops"));
		for (const end of this.#ends) end();
		this.#pruning?.cancel();
		await Promise.all([this.#marks.stop(), this.#skips.stop()]);
		this.#settle([...this.#brought.values()].flat(), false);
	}

	/** A fact was written: see `keepRemoved`. */
	readonly told = (stored: StoredFact): void => {
		const job = jobOfFact(stored.fact);
		if (job === undefined) return;
		const facts = this.#facts.get(job.uid) ?? [];
		this.#facts.set(job.uid, facts);
		const same = facts.findIndex(({ key }) => key === stored.key);
		if (same >= 0) facts[same] = stored;
		else facts.push(stored);
		this.#marks.mark(job, endedDelayMs);
	};

	receive(logs: readonly EndedLog[], node: string | undefined): Promise<boolean[]> {
		const { logBytes } = this.#parts.settings;
		const podOf = (log: EndedLog) => this.#podOf(log) ?? (this.#ready ? undefined : "later");
		return takeLogs({ runStore: this.#runs, logBytes, podOf, keep: (log) => this.#keep(log) }, logs, node);
	}

	/** Written together with its run, when that is due. */
	#keep(log: KeptLog): Promise<boolean> {
		if (this.#stopping.signal.aborted) return Promise.resolve(false);
		const { namespace, jobName, jobUid } = log.fact.ended;
		return new Promise((resolve) => {
			const brought = this.#brought.get(jobUid) ?? [];
			this.#brought.set(jobUid, brought);
			brought.push({ log, resolve });
			this.#marks.mark({ namespace, name: jobName, uid: jobUid }, endedDelayMs);
		});
	}

	/** They are dealt with: their nodes need not bring them again; or they must. */
	#settle(logs: readonly Brought[], isDone: boolean): void {
		for (const one of logs) {
			const { jobUid } = one.log.fact.ended;
			const left = this.#brought.get(jobUid)?.filter((other) => other !== one) ?? [];
			if (left.length === 0) this.#brought.delete(jobUid);
			else this.#brought.set(jobUid, left);
			one.resolve(isDone);
		}
	}

	read(name: KeptLogName): Promise<Buffer | undefined> {
		return readLog(this.#parts.store, name);
	}

	/** As it is, or as it was last. */
	#podOf({ namespace, podName, podUid, jobUid }: EndedLog): Pod | undefined {
		for (const { fact } of this.#facts.get(jobUid) ?? [])
			if (fact.type === "pod" && fact.object.metadata.uid === podUid) return fact.object;
		const seen = this.#mirror?.of(pods).get(namespace, podName);
		return seen?.metadata.uid === podUid ? seen : undefined;
	}

	async #load(mirror: Mirror): Promise<void> {
		for await (const run of this.#runs.load()) {
			this.#skips.known(run);
			const { jobName, jobUID } = run.spec;
			// Whatever became of it while nobody looked.
			if (run.status.logs === "Pending" && jobName !== undefined && jobUID !== undefined)
				this.#marks.mark({ namespace: run.metadata.namespace ?? "", name: jobName, uid: jobUID }, endedDelayMs);
		}
		await this.#loadFacts(factRoot);
		const there = new Set([...mirror.of(namespaces).list()].map(({ metadata }) => metadata.name));
		for (const { namespace } of this.#runs.index.all()) if (!there.has(namespace)) this.#namespaceGone(namespace);
	}

	async #loadFacts(prefix: string): Promise<void> {
		for await (const { key, value } of this.#runs.entries(prefix)) this.told({ key, fact: decodeFact(value) });
	}

	#jobChanged(job: Job | undefined): void {
		if (job === undefined) return;
		const { namespace = "", name, uid } = job.metadata;
		this.#skips.seen(job);
		this.#marks.mark({ namespace, name, uid }, this.#delayFor(job));
	}

	#podChanged(pod: Pod | undefined): void {
		const owner = pod && controllerOf(pod);
		if (owner?.kind !== jobs.kind) return;
		const namespace = pod?.metadata.namespace ?? "";
		const dueMs = this.#marks.dueMs(owner.uid);
		// Thousands of changes, few of which say more than the first.
		if (dueMs !== undefined && dueMs <= this.#parts.clock.monotonicMs() + endedDelayMs) return;
		const job = this.#mirror?.of(jobs).get(namespace, owner.name);
		this.#marks.mark({ namespace, name: owner.name, uid: owner.uid }, this.#delayFor(job));
	}

	#delayFor(job: Job | undefined): number {
		if (job === undefined || isFinished(job)) return endedDelayMs;
		const pods = Math.max(job.spec.completions ?? 1, job.spec.parallelism ?? 1);
		// A thousand Jobs at once are mostly written when they have ended.
		return pods > largeJobPods || this.#marks.size > manyMarks ? largeDelayMs : runningDelayMs;
	}

	async #writeDue(): Promise<void> {
		const { clock } = this.#parts;
		if (this.#mirror === undefined) return;
		const mirror = this.#mirror;
		for (const namespace of [...this.#gone]) await this.#forgetNamespace(namespace);
		for (;;) {
			const due = this.#marks.take(batchRuns);
			if (due.length === 0 || this.#stopping.signal.aborted) return;
			try {
				await this.#writeBatch(mirror, due);
			} catch (error) {
				for (const marked of due) this.#marks.mark(marked, retryMs);
				throw error;
			}
			if (due.length < batchRuns) return;
			await clock.sleep(0, this.#stopping.signal).catch(() => {});
		}
	}

	async #writeBatch(mirror: Mirror, due: readonly Marked[]): Promise<void> {
		const drafts: Draft[] = [];
		const dropped: string[] = [];
		for (const marked of due) {
			const draft = await this.#draft(mirror, marked, dropped);
			if (draft !== undefined) drafts.push(draft);
		}
		const changed = drafts.filter(
			({ run, before, facts, logs }) => facts.length > 0 || logs.length > 0 || !sameJson(run, before),
		);
		const logs = changed.flatMap((draft) => draft.logs);
		const puts = logs.flatMap(({ log }) => log.put ?? []);
		const deletes = [...changed.flatMap(({ facts }) => facts), ...dropped];
		await this.#runs.write(changed, { puts, deletes });
		this.#taken(deletes);
		this.#settle(logs, true);
		for (const { run, before } of changed)
			if (run.status.result === "Failed" && before?.status.result !== "Failed") this.#tell?.(run, failureText(run));
		for (const { run, againMs } of drafts) {
			const { jobName, jobUID } = run.spec;
			if (againMs !== undefined && jobName !== undefined && jobUID !== undefined)
				this.#marks.mark({ namespace: run.metadata.namespace ?? "", name: jobName, uid: jobUID }, againMs);
		}
		if (changed.length > 0) await this.#runs.prune(changed);
	}

	/** @param dropped takes keys of facts that no run will take in */
	async #draft(mirror: Mirror, { namespace, name, uid }: Marked, dropped: string[]): Promise<Draft | undefined> {
		const { clock } = this.#parts;
		const nowMs = clock.now();
		const key = objectKey(runs, namespace, runName(name, uid));
		const found = mirror.of(jobs).get(namespace, name);
		const stored = await this.#runs.runAt(key);
		let facts = this.#facts.get(uid) ?? [];
		const isGone = found?.metadata.uid !== uid;
		if (isGone && stored?.run.status.result === "Running" && !facts.some(({ fact }) => fact.type === "job")) {
			await this.#loadFacts(factPrefix(namespace, uid));
			facts = this.#facts.get(uid) ?? [];
		}
		// As they are now: others may come while this goes on.
		const logs = [...(this.#brought.get(uid) ?? [])];
		const removed = new Set(facts.map(({ fact }) => fact.object.metadata.uid));
		const run = runOf(
			{
				namespace,
				name,
				uid,
				job: isGone || removed.has(uid) ? undefined : found,
				pods: [...mirror.of(pods).controlledBy(uid)].filter(({ metadata }) => !removed.has(metadata.uid)),
				facts: [...facts.map(({ fact }) => fact), ...logs.map(({ log }) => log.fact)],
				before: stored?.run,
			},
			nowMs,
		);
		const keys = facts.map((fact) => fact.key);
		if (run === undefined) {
			// Of a Job that nobody has seen: its facts cannot be all there is.
			if (this.#ready && isGone) {
				dropped.push(...keys);
				this.#settle(logs, true);
			}
			return undefined;
		}
		const isOld = stored === undefined && this.#runs.isTooOld(key, run);
		if (isOld || !(await this.#exists(namespace))) {
			dropped.push(...keys);
			this.#settle(logs, true);
			return undefined;
		}
		const { logs: state, endTime } = run.status;
		const waits = state === "Pending" && endTime !== undefined;
		return {
			key,
			modRevision: stored?.modRevision ?? 0,
			run,
			before: stored?.run,
			facts: keys,
			logs,
			...(waits && { againMs: Math.max(parseTimestamp(endTime) + logPatienceMs - nowMs, endedDelayMs) }),
		};
	}

	/** The store is asked where the mirror may only be late. */
	async #exists(namespace: string): Promise<boolean> {
		if (this.#mirror?.of(namespaces).get(undefined, namespace) !== undefined) return true;
		return (await this.#parts.store.get(objectKey(namespaces, undefined, namespace))) !== undefined;
	}

	#taken(keys: readonly string[]): void {
		const gone = new Set(keys);
		if (gone.size === 0) return;
		for (const [uid, facts] of this.#facts) {
			const left = facts.filter(({ key }) => !gone.has(key));
			if (left.length === 0) this.#facts.delete(uid);
			else if (left.length < facts.length) this.#facts.set(uid, left);
		}
	}

	#namespaceGone(namespace: string): void {
		this.#gone.add(namespace);
		this.#marks.wake(endedDelayMs);
	}

	async #forgetNamespace(namespace: string): Promise<void> {
		if (!(await this.#exists(namespace))) this.#taken(await this.#runs.removeNamespace(namespace));
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

function isFinished({ status }: Job): boolean {
	return (
		status?.conditions?.some(({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True") ??
		false
	);
}

function isOver({ status }: Pod): boolean {
	return status?.phase === "Succeeded" || status?.phase === "Failed";
}
