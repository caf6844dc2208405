/**
 * Writes the runs. Level-triggered: whatever happens marks a Job, and some time later its run is made of all that is known then, and
 * written if it differs. Nobody waits for it, and what it misses by being away it finds when it is back: Jobs and pods are there
 * still, or their removal has left a fact.
 */
import { encode } from "../api/cache/cached.ts";
import { keyPrefix, objectKey } from "../api/cache/keys.ts";
import type { KeptLogName, KeptLogs } from "../api/kept-logs.ts";
import type { Mirror } from "../client/mirror.ts";
import type { Clock, Timer } from "../core/clock.ts";
import { parseTimestamp } from "../core/clock.ts";
import type { EndedLog } from "../core/ended-log.ts";
import { controllerOf } from "../core/object.ts";
import type { Job, Pod } from "../kinds/generated/types.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";
import { jobs } from "../kinds/job.ts";
import { namespaces } from "../kinds/namespace.ts";
import { pods } from "../kinds/pod.ts";
import { prefixEnd, type Store } from "../store/store.ts";
import { keepLogs, logKeys, readLog } from "./archive.ts";
import { decodeFact, jobOfFact, type StoredFact } from "./facts.ts";
import { factPrefix, factRoot, logPrefix, logRoot, runName } from "./keys.ts";
import { entryOf, RunIndex } from "./retention.ts";
import { logPatienceMs, runOf } from "./run-of.ts";
import type { HistorySettings } from "./settings.ts";

/** How long changes gather before a run that has ended is written, and one that goes on. */
const endedDelayMs = 250;
const runningDelayMs = 2000;
/** The same for a Job of many pods, which costs more to look at. */
const largeDelayMs = 15_000;
const largeJobPods = 100;
const retryMs = 1000;
/** Runs written by one commit, with a turn of the event loop before the next. */
const batchRuns = 32;
const pageEntries = 256;
/** How often runs are looked at for their age. */
const pruneMs = 3_600_000;
/** Logs of one run take no more than this part of what all may take. */
const runShare = 4;

export interface RecorderParts {
	/** With `keepRemoved` around it for everybody else; the recorder itself removes no Job and no pod. */
	store: Store;
	clock: Clock;
	settings: HistorySettings;
	onError?(error: unknown): void;
	/** Told of each run that was written, and how it was before. Must not take long. */
	onRun?(run: Run, before: Run | undefined): void;
}

interface Marked {
	namespace: string;
	name: string;
	uid: string;
	dueMs: number;
}

/** A run as it is to be written. */
interface Draft {
	key: string;
	modRevision: number;
	run: Run;
	before: Run | undefined;
	/** Keys of the facts that it has taken in. */
	facts: string[];
	/** When it is to be looked at again. */
	againMs?: number;
}

export class Recorder implements KeptLogs {
	readonly #parts: RecorderParts;
	readonly #marked = new Map<string, Marked>();
	/** By the UID of the Job. */
	readonly #facts = new Map<string, StoredFact[]>();
	readonly #index = new RunIndex();
	readonly #gone = new Set<string>();
	readonly #ends: (() => void)[] = [];
	readonly #stopping = new AbortController();
	#mirror: Mirror | undefined;
	#timer: Timer | undefined;
	#timerMs = Number.POSITIVE_INFINITY;
	#pruning: Timer | undefined;
	#working: Promise<void> | undefined;
	#ready = false;

	constructor(parts: RecorderParts) {
		this.#parts = parts;
	}

	/** Resolves when everything that happened while nobody recorded has been found; it need not be waited for. */
	async start(mirror: Mirror): Promise<void> {
		this.#mirror = mirror;
		const { signal } = this.#stopping;
		for (;;) {
			try {
				const wanted = [mirror.of(jobs), mirror.of(pods), mirror.of(namespaces)];
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
			mirror.of(jobs).onChange((current, old) => this.#jobChanged(current ?? old)),
			mirror.of(pods).onChange((current, old) => this.#podChanged(current ?? old)),
			mirror.of(namespaces).onChange((current, old) => {
				if (current === undefined && old !== undefined) this.#namespaceGone(old.metadata.name);
			}),
		);
		this.#prunePeriodically();
	}

	/** Ends when what is under way is done. What is marked will be found at the next start. */
	async stop(): Promise<void> {
		this.#stopping.abort(new Error("the recorder stops"));
		for (const end of this.#ends) end();
		this.#timer?.cancel();
		this.#pruning?.cancel();
		await this.#working;
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
		this.#mark(job.namespace, job.name, job.uid, endedDelayMs);
	};

	async receive(logs: readonly EndedLog[], node: string | undefined): Promise<boolean[]> {
		const verdicts = await Promise.all(logs.map((log) => this.#judge(log, node)));
		const taken = logs.filter((_, index) => verdicts[index] === "take");
		if (taken.length > 0) {
			const most = Math.floor(this.#parts.settings.logBytes / runShare);
			const room = ({ namespace, jobName, jobUid }: EndedLog) =>
				most - (this.#index.get(objectKey(runs, namespace, runName(jobName, jobUid)))?.logBytes ?? 0);
			for (const fact of await keepLogs(this.#parts.store, taken, room)) this.told(fact);
		}
		return verdicts.map((verdict) => verdict !== "later");
	}

	read(name: KeptLogName): Promise<Buffer | undefined> {
		return readLog(this.#parts.store, name);
	}

	/** `never`: it is not that node's to bring, or nothing is left that it could belong to. */
	async #judge(log: EndedLog, node: string | undefined): Promise<"take" | "never" | "later"> {
		const { namespace, podUid, jobName, jobUid, container, attempt } = log;
		const run = await this.#runAt(objectKey(runs, namespace, runName(jobName, jobUid)));
		const known = run?.before.status.pods?.find(({ uid }) => uid === podUid);
		const attempts = known?.containers?.find(({ name }) => name === container)?.attempts ?? [];
		// The node brings again what it does not know to have arrived.
		if (attempts.some((one) => one.number === attempt && one.log !== undefined)) return "never";
		if (run?.before.status.logs === "Pruned") return "never";
		const isOwn = (of: string | undefined) => node === undefined || of === node;
		if (known !== undefined) return isOwn(known.node) ? "take" : "never";
		const pod = this.#podOf(log);
		if (pod !== undefined) return isOwn(pod.spec.nodeName) && controllerOf(pod)?.uid === jobUid ? "take" : "never";
		return this.#ready ? "never" : "later";
	}

	/** As it is, or as it was last. */
	#podOf({ namespace, podName, podUid, jobUid }: EndedLog): Pod | undefined {
		for (const { fact } of this.#facts.get(jobUid) ?? [])
			if (fact.type === "pod" && fact.object.metadata.uid === podUid) return fact.object;
		const seen = this.#mirror?.of(pods).get(namespace, podName);
		return seen?.metadata.uid === podUid ? seen : undefined;
	}

	async #load(mirror: Mirror): Promise<void> {
		for await (const { key, value } of this.#entries(keyPrefix(runs))) {
			const run = decodeRun(value);
			this.#index.set(entryOf(key, run));
			const { jobName, jobUID } = run.spec;
			// Whatever became of it while nobody looked.
			if (run.status.logs === "Pending" && jobName !== undefined && jobUID !== undefined)
				this.#mark(run.metadata.namespace ?? "", jobName, jobUID, endedDelayMs);
		}
		await this.#loadFacts(factRoot);
		const there = new Set([...mirror.of(namespaces).list()].map(({ metadata }) => metadata.name));
		for (const { namespace } of this.#index.all()) if (!there.has(namespace)) this.#namespaceGone(namespace);
	}

	async #loadFacts(prefix: string): Promise<void> {
		for await (const { key, value } of this.#entries(prefix)) this.told({ key, fact: decodeFact(value) });
	}

	async *#entries(prefix: string): AsyncGenerator<{ key: string; value: Uint8Array }> {
		const to = prefixEnd(prefix);
		for (let from = prefix; ; ) {
			const range = { from, ...(to !== undefined && { to }), limit: pageEntries };
			const { entries, more } = await this.#parts.store.range(range);
			yield* entries;
			const last = entries.at(-1);
			if (!more || last === undefined) return;
			from = `${last.key}\0`;
		}
	}

	#jobChanged(job: Job | undefined): void {
		if (job === undefined) return;
		const { namespace = "", name, uid } = job.metadata;
		this.#mark(namespace, name, uid, this.#delayFor(job));
	}

	#podChanged(pod: Pod | undefined): void {
		const owner = pod && controllerOf(pod);
		if (owner?.kind !== jobs.kind) return;
		const namespace = pod?.metadata.namespace ?? "";
		const marked = this.#marked.get(owner.uid);
		// Thousands of changes, few of which say more than the first.
		if (marked !== undefined && marked.dueMs <= this.#parts.clock.monotonicMs() + endedDelayMs) return;
		this.#mark(namespace, owner.name, owner.uid, this.#delayFor(this.#mirror?.of(jobs).get(namespace, owner.name)));
	}

	#delayFor(job: Job | undefined): number {
		if (job === undefined || isFinished(job)) return endedDelayMs;
		const pods = Math.max(job.spec.completions ?? 1, job.spec.parallelism ?? 1);
		return pods > largeJobPods ? largeDelayMs : runningDelayMs;
	}

	#mark(namespace: string, name: string, uid: string, delayMs: number): void {
		const dueMs = this.#parts.clock.monotonicMs() + delayMs;
		const marked = this.#marked.get(uid);
		if (marked === undefined) this.#marked.set(uid, { namespace, name, uid, dueMs });
		else if (marked.dueMs > dueMs) marked.dueMs = dueMs;
		this.#schedule(dueMs);
	}

	#schedule(dueMs: number): void {
		if (dueMs >= this.#timerMs || this.#stopping.signal.aborted) return;
		const { clock } = this.#parts;
		this.#timer?.cancel();
		this.#timerMs = dueMs;
		this.#timer = clock.after(Math.max(dueMs - clock.monotonicMs(), 0), () => {
			this.#timerMs = Number.POSITIVE_INFINITY;
			this.#timer = undefined;
			this.#work();
		});
	}

	#work(): void {
		if (this.#working !== undefined) return;
		this.#working = this.#writeDue()
			.catch((error: unknown) => {
				if (this.#stopping.signal.aborted) return;
				this.#parts.onError?.(error);
				this.#schedule(this.#parts.clock.monotonicMs() + retryMs);
			})
			.finally(() => {
				this.#working = undefined;
				let nextMs = Number.POSITIVE_INFINITY;
				for (const { dueMs } of this.#marked.values()) nextMs = Math.min(nextMs, dueMs);
				if (this.#gone.size > 0) nextMs = 0;
				// What failed is not tried at once.
				if (nextMs < Number.POSITIVE_INFINITY)
					this.#schedule(Math.max(nextMs, this.#parts.clock.monotonicMs() + endedDelayMs / 5));
			});
	}

	async #writeDue(): Promise<void> {
		const { clock } = this.#parts;
		if (!this.#ready || this.#mirror === undefined) return;
		const mirror = this.#mirror;
		for (const namespace of [...this.#gone]) await this.#forgetNamespace(namespace);
		for (;;) {
			const nowMs = clock.monotonicMs();
			const due: Marked[] = [];
			for (const marked of this.#marked.values()) {
				if (marked.dueMs > nowMs) continue;
				due.push(marked);
				if (due.length >= batchRuns) break;
			}
			if (due.length === 0 || this.#stopping.signal.aborted) return;
			// Whoever marks it from here on has it looked at again.
			for (const { uid } of due) this.#marked.delete(uid);
			try {
				await this.#writeBatch(mirror, due);
			} catch (error) {
				for (const { namespace, name, uid } of due) this.#mark(namespace, name, uid, retryMs);
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
		const changed = drafts.filter(({ run, before, facts }) => facts.length > 0 || !sameRun(run, before));
		if (changed.length > 0 || dropped.length > 0) {
			const puts = changed.map(({ key, run }) => ({ key, value: encode(run) }));
			const compare = changed.map(({ key, modRevision }) => ({ key, modRevision }));
			const deletes = [...changed.flatMap(({ facts }) => facts), ...dropped];
			const result = await this.#parts.store.commit({ compare, puts, deletes });
			if (!result.ok) throw new Error("a run was written by another recorder");
			this.#taken(deletes);
		}
		const groups = new Set<string>();
		for (const { key, run, before } of changed) {
			const entry = entryOf(key, run);
			this.#index.set(entry);
			groups.add(entry.group);
			this.#parts.onRun?.(run, before);
		}
		for (const { run, againMs } of drafts) {
			const { jobName, jobUID } = run.spec;
			if (againMs !== undefined && jobName !== undefined && jobUID !== undefined)
				this.#mark(run.metadata.namespace ?? "", jobName, jobUID, againMs);
		}
		if (groups.size > 0) await this.#prune(groups);
	}

	/** @param dropped takes keys of facts that no run will take in */
	async #draft(mirror: Mirror, { namespace, name, uid }: Marked, dropped: string[]): Promise<Draft | undefined> {
		const { clock, settings } = this.#parts;
		const nowMs = clock.now();
		const key = objectKey(runs, namespace, runName(name, uid));
		const found = mirror.of(jobs).get(namespace, name);
		const stored = await this.#runAt(key);
		let facts = this.#facts.get(uid) ?? [];
		const isGone = found?.metadata.uid !== uid;
		if (isGone && stored?.before.status.result === "Running" && !facts.some(({ fact }) => fact.type === "job")) {
			await this.#loadFacts(factPrefix(namespace, uid));
			facts = this.#facts.get(uid) ?? [];
		}
		const removed = new Set(facts.flatMap(({ fact }) => (fact.type === "log" ? [] : fact.object.metadata.uid)));
		const run = runOf(
			{
				namespace,
				name,
				uid,
				job: isGone || removed.has(uid) ? undefined : found,
				pods: [...mirror.of(pods).controlledBy(uid)].filter(({ metadata }) => !removed.has(metadata.uid)),
				facts: facts.map(({ fact }) => fact),
				before: stored?.before,
			},
			nowMs,
		);
		const keys = facts.map((fact) => fact.key);
		if (run === undefined) {
			// Of a Job that nobody has seen: its facts cannot be all there is.
			if (this.#ready && isGone) dropped.push(...keys);
			return undefined;
		}
		const isOld = stored === undefined && this.#index.isTooOld(entryOf(key, run), settings, nowMs);
		if (isOld || !(await this.#exists(namespace))) {
			dropped.push(...keys);
			return undefined;
		}
		const { logs, endTime } = run.status;
		const waits = logs === "Pending" && endTime !== undefined;
		return {
			key,
			modRevision: stored?.modRevision ?? 0,
			run,
			before: stored?.before,
			facts: keys,
			...(waits && { againMs: Math.max(parseTimestamp(endTime) + logPatienceMs - nowMs, endedDelayMs) }),
		};
	}

	async #runAt(key: string): Promise<{ before: Run; modRevision: number } | undefined> {
		const entry = await this.#parts.store.get(key);
		return entry && { before: decodeRun(entry.value), modRevision: entry.modRevision };
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
		this.#schedule(this.#parts.clock.monotonicMs() + endedDelayMs);
	}

	/** Runs go with their namespace, as all that is in it. */
	async #forgetNamespace(namespace: string): Promise<void> {
		if (!(await this.#exists(namespace))) {
			const keys: string[] = [];
			for (const prefix of [keyPrefix(runs, namespace), `${logRoot}${namespace}/`, `${factRoot}${namespace}/`])
				keys.push(...(await logKeys(this.#parts.store, prefix)));
			await this.#remove(keys);
			for (const key of keys) this.#index.remove(key);
			this.#taken(keys);
		}
		this.#gone.delete(namespace);
	}

	async #prune(groups: Iterable<string>): Promise<void> {
		const { settings, clock, store } = this.#parts;
		const old = this.#index.excess(settings, clock.now(), groups);
		for (const entry of old) {
			const { key, namespace, name } = entry;
			await this.#remove([key, ...(await logKeys(store, logPrefix(namespace, name)))]);
			this.#index.remove(key);
		}
		for (const entry of this.#index.excessLogs(settings)) {
			const { key, namespace, name } = entry;
			const stored = await this.#runAt(key);
			const logs = await logKeys(store, logPrefix(namespace, name));
			await this.#remove(logs);
			if (stored === undefined) continue;
			const run: Run = { ...stored.before, status: { ...stored.before.status, logs: "Pruned" } };
			delete run.status.logBytes;
			const compare = [{ key, modRevision: stored.modRevision }];
			await store.commit({ compare, puts: [{ key, value: encode(run) }], deletes: [] });
			this.#index.set(entryOf(key, run));
		}
	}

	#prunePeriodically(): void {
		if (this.#stopping.signal.aborted) return;
		this.#pruning = this.#parts.clock.after(pruneMs, () => {
			this.#prune([])
				.catch((error: unknown) => this.#parts.onError?.(error))
				.finally(() => this.#prunePeriodically());
		});
	}

	async #remove(keys: readonly string[]): Promise<void> {
		for (let at = 0; at < keys.length; at += pageEntries)
			await this.#parts.store.commit({ compare: [], puts: [], deletes: keys.slice(at, at + pageEntries) });
	}
}

function decodeRun(value: Uint8Array): Run {
	// Only recorders write there.
	return JSON.parse(Buffer.from(value).toString()) as Run;
}

function sameRun(run: Run, before: Run | undefined): boolean {
	return before !== undefined && JSON.stringify(run) === JSON.stringify(before);
}

function isFinished({ status }: Job): boolean {
	return (
		status?.conditions?.some(({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True") ??
		false
	);
}
