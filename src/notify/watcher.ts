/**
 * Watches runs and workloads, and puts what is to be told into the outbox: each change is looked at once, and the note
 * of that is written by the same commit. What changed while nobody looked is looked at after the start.
 */

import type { Informer, Mirror } from "../client/mirror.ts";
import type { Clock, Timer } from "../core/clock.ts";
import { sameJson } from "../core/equal.ts";
import { objectKey } from "../core/object.ts";
import { daemonSets } from "../kinds/apps/daemonset.ts";
import { deployments } from "../kinds/apps/deployment.ts";
import { statefulSets } from "../kinds/apps/statefulset.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";
import type { Commit, Store } from "../store/store.ts";
import { type Cursor, cursorKey, encoded, entryKey, newestSequence, type Stored, workloadKey } from "./outbox.ts";
import { annotationPolicy, type Policy } from "./policy.ts";
import type { PolicyIndex } from "./policy-index.ts";
import type { Entry, QueueName } from "./queue.ts";
import { quietUntilMs } from "./quiet.ts";
import { planRun, type Seen, type Told, usualDurationMs } from "./run-events.ts";
import { type NotifiedWorkload, planWorkload, type WorkloadSeen } from "./workload-events.ts";

export interface WatcherParts {
	store: Store;
	clock: Clock;
	mirror: Mirror;
	policies: PolicyIndex;
	stored: Stored;
	/** An entry is in the store. */
	onEntry(queue: QueueName, entry: Entry): void;
	onError?(error: unknown): void;
}

export const workloadKinds: readonly Kind<NotifiedWorkload>[] = [
	cronJobs,
	statefulSets,
	daemonSets,
	deployments,
	// Each is a kind of one of them.
] as unknown as readonly Kind<NotifiedWorkload>[];

/** Changes gather for so long before they are looked at. */
const gatherMs = 50;
const batch = 256;
/** What has been looked at and told nothing is noted once in a while. */
const noteMs = 5000;
const retryMs = 1000;
/** What ended so long before the last note was certainly looked at then. */
const slackMs = 120_000;
const workIndex = "notify/work";

interface Marked {
	key: string;
	kind: Kind;
	/** As it was when it was marked. */
	old: Run | undefined;
}

/** What one look at many marks leads to. */
interface Draft {
	puts: Commit["puts"][number][];
	deletes: string[];
	entries: { queue: QueueName; entry: Entry }[];
	/** To be taken back when the commit fails. */
	undo: (() => void)[];
}

export class Watcher {
	readonly #parts: WatcherParts;
	readonly #runs: Informer<Run>;
	readonly #marked = new Map<string, Marked>();
	readonly #again = new Map<string, Timer>();
	readonly #seen: Map<string, Seen>;
	/** UIDs of runs that nothing more will come of, until a note says that all was looked at. */
	readonly #final = new Set<string>();
	readonly #workloads: Map<string, WorkloadSeen>;
	readonly #ends: (() => void)[] = [];
	#revision: number;
	#newest = 0;
	#floorMs: number;
	#sequence: number;
	#isActive: boolean;
	#isNoted = true;
	#timer: Timer | undefined;
	#noting: Timer | undefined;
	#working: Promise<void> | undefined;
	#stopped = false;

	constructor(parts: WatcherParts) {
		const { stored, mirror, policies, clock } = parts;
		this.#parts = parts;
		this.#runs = mirror.of(runs);
		this.#seen = new Map(Object.entries(stored.cursor?.seen ?? {}));
		this.#workloads = stored.workloads;
		this.#sequence = newestSequence(stored.entries);
		this.#isActive = stored.cursor !== undefined || !policies.isEmpty;
		// Without a note there may still be a policy that was made just before the end.
		this.#revision = stored.cursor?.revision ?? (policies.isEmpty ? this.#runs.revision : 0);
		this.#floorMs = stored.cursor === undefined ? 0 : stored.cursor.atMs - slackMs;
		if (stored.cursor === undefined && policies.isEmpty) this.#floorMs = clock.now() - slackMs;
	}

	start(): void {
		const { mirror } = this.#parts;
		this.#runs.addIndex(workIndex, (run) => [workOf(run)]);
		this.#ends.push(this.#runs.onChange((current, old) => this.#runChanged(current, old)));
		for (const kind of workloadKinds)
			this.#ends.push(mirror.of(kind).onChange((current, old) => this.#workloadChanged(kind, current, old)));
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		for (const end of this.#ends) end();
		for (const timer of [this.#timer, this.#noting, ...this.#again.values()]) timer?.cancel();
		await this.#working;
		if (!this.#isNoted && this.#marked.size === 0) await this.#note();
	}

	/** Other things may be told from now on. */
	policyChanged({ namespace, events }: Policy): void {
		if (!this.#isActive) this.#activate(this.#runs.revision);
		if (events.has("Slow"))
			for (const run of this.#runs.list(namespace)) if (run.status.result === "Running") this.#mark(runs, run, run);
		if (!events.has("Stuck") && !events.has("Back") && !events.has("SuspendedLong")) return;
		for (const kind of workloadKinds)
			for (const object of this.#parts.mirror.of(kind).list(namespace)) this.#mark(kind, object, undefined);
	}

	/** Someone wants to be told: from here on every change counts. @param revision of the last that does not */
	#activate(revision: number): void {
		this.#isActive = true;
		this.#revision = this.#newest = revision;
		this.#isNoted = false;
		this.#schedule(0);
	}

	#runChanged(current: Run | undefined, old: Run | undefined): void {
		const { uid } = (current ?? old)?.metadata ?? { uid: "" };
		if (current === undefined) {
			this.#seen.delete(uid);
			this.#final.delete(uid);
			if (old !== undefined) this.#cancel(markKey(runs, old));
			return;
		}
		const revision = Number(current.metadata.resourceVersion);
		if (!this.#isActive) {
			if (annotationPolicy("", current.metadata.annotations) === undefined) return;
			this.#activate(revision - 1);
		}
		this.#newest = Math.max(this.#newest, revision);
		// Looked at before; what goes on may become slow.
		if (revision <= this.#revision && current.status.result !== "Running") return;
		if (old !== undefined && isFinal(old)) return;
		// What was looked at before is known as it is: only what comes is told.
		this.#mark(runs, current, revision <= this.#revision ? current : old);
	}

	#workloadChanged(kind: Kind, current: NotifiedWorkload | undefined, old: NotifiedWorkload | undefined): void {
		const object = current ?? old;
		if (object === undefined) return;
		const isAnnotated = annotationPolicy("", current?.metadata.annotations) !== undefined;
		if (!this.#isActive) {
			if (!isAnnotated) return;
			this.#activate(this.#runs.revision);
		}
		const { namespace = "", name } = object.metadata;
		const isKnown = this.#workloads.has(workloadKey(namespace, object.kind, name));
		if (!isKnown && !isAnnotated && [...this.#parts.policies.of(namespace)].length === 0) return;
		this.#mark(kind, object, undefined);
	}

	#mark(kind: Kind, object: Run | NotifiedWorkload, old: Run | undefined): void {
		const key = markKey(kind, object);
		// As it was before the first of the changes that are looked at together.
		if (!this.#marked.has(key)) this.#marked.set(key, { key: objectKey(object), kind, old });
		this.#schedule(gatherMs);
	}

	#schedule(delayMs: number): void {
		if (this.#timer !== undefined || this.#working !== undefined || this.#stopped) return;
		this.#timer = this.#parts.clock.after(delayMs, () => {
			this.#timer = undefined;
			this.#working = this.#work()
				.then(
					() => gatherMs,
					(error: unknown) => {
						this.#parts.onError?.(error);
						return retryMs;
					},
				)
				.then((nextMs) => {
					this.#working = undefined;
					if (this.#marked.size > 0) this.#schedule(nextMs);
				});
		});
	}

	async #work(): Promise<void> {
		do {
			const taken = [...this.#marked].slice(0, batch);
			const draft: Draft = { puts: [], deletes: [], entries: [], undo: [] };
			for (const [key, marked] of taken) {
				this.#marked.delete(key);
				this.#cancel(key);
				if (marked.kind === (runs as Kind)) this.#lookAtRun(key, marked, draft);
				else this.#lookAtWorkload(key, marked, draft);
			}
			try {
				await this.#commit(draft);
			} catch (error) {
				for (const undo of draft.undo.reverse()) undo();
				for (const [key, marked] of taken) this.#marked.set(key, marked);
				throw error;
			}
		} while (this.#marked.size > 0 && !this.#stopped);
	}

	async #commit({ puts, deletes, entries }: Draft): Promise<void> {
		const revision = this.#revision;
		if (this.#marked.size === 0 && this.#newest > this.#revision) {
			this.#revision = this.#newest;
			this.#isNoted = false;
			for (const uid of this.#final) this.#seen.delete(uid);
			this.#final.clear();
		}
		if (puts.length === 0 && deletes.length === 0) {
			if (!this.#isNoted) this.#noteLater();
			return;
		}
		this.#isNoted = true;
		try {
			await this.#parts.store.commit({ compare: [], puts: [...puts, this.#notePut()], deletes });
		} catch (error) {
			this.#isNoted = false;
			// What it says up to there has not been looked at: no note may say so before the next attempt.
			this.#revision = revision;
			throw error;
		}
		for (const { queue, entry } of entries) this.#parts.onEntry(queue, entry);
	}

	#notePut(): Commit["puts"][number] {
		const cursor: Cursor = {
			revision: this.#revision,
			atMs: this.#parts.clock.now(),
			seen: Object.fromEntries(this.#seen),
		};
		return { key: cursorKey, value: encoded(cursor) };
	}

	#noteLater(): void {
		if (this.#noting !== undefined || this.#stopped) return;
		this.#noting = this.#parts.clock.after(noteMs, () => {
			this.#noting = undefined;
			// A commit under way writes the note, or takes back what it would say.
			if (this.#working !== undefined) this.#noteLater();
			else if (!this.#isNoted) this.#note().catch((error: unknown) => this.#parts.onError?.(error));
		});
	}

	async #note(): Promise<void> {
		this.#isNoted = true;
		await this.#parts.store.commit({ compare: [], puts: [this.#notePut()], deletes: [] });
	}

	#lookAtRun(mark: string, { key, old }: Marked, draft: Draft): void {
		const { mirror, policies, clock } = this.#parts;
		const [namespace, name = ""] = key.split("/");
		const run = this.#runs.get(namespace, name);
		if (run === undefined) return;
		const { uid } = run.metadata;
		const before = this.#seen.get(uid) ?? (old === undefined ? {} : seenOf(old));
		const about = policies.aboutRun(run, mirror);
		const plan = planRun(
			{
				run,
				policies: about,
				seen: before,
				floorMs: this.#floorMs,
				usualMs: () => usualDurationMs(this.#runs.byIndex(workIndex, workOf(run))),
			},
			clock.now(),
		);
		const hadSeen = this.#seen.get(uid);
		draft.undo.push(() => {
			this.#final.delete(uid);
			if (hadSeen === undefined) this.#seen.delete(uid);
			else this.#seen.set(uid, hadSeen);
		});
		if (Object.keys(plan.seen).length > 0) this.#seen.set(uid, plan.seen);
		if (plan.isFinal) this.#final.add(uid);
		if (plan.againMs !== undefined) this.#lookAgain(mark, runs, run, plan.againMs);
		this.#tell(plan.told, draft);
	}

	#lookAtWorkload(mark: string, { key, kind }: Marked, draft: Draft): void {
		const { mirror, policies, clock } = this.#parts;
		const [namespace = "", name = ""] = key.split("/");
		// Marks name workloads of their kinds.
		const object = mirror.of(kind).get(namespace, name) as NotifiedWorkload | undefined;
		const stored = workloadKey(namespace, kind.kind, name);
		const before = this.#workloads.get(stored);
		const plan =
			object === undefined ? { told: [] } : planWorkload(object, policies.aboutWorkload(object), before, clock.now());
		if (!sameJson(plan.seen, before)) {
			draft.undo.push(() => {
				if (before === undefined) this.#workloads.delete(stored);
				else this.#workloads.set(stored, before);
			});
			if (plan.seen === undefined) {
				this.#workloads.delete(stored);
				draft.deletes.push(stored);
			} else {
				this.#workloads.set(stored, plan.seen);
				draft.puts.push({ key: stored, value: encoded(plan.seen) });
			}
		}
		if (plan.againMs !== undefined && object !== undefined) this.#lookAgain(mark, kind, object, plan.againMs);
		this.#tell(plan.told, draft);
	}

	#tell(told: readonly Told[], draft: Draft): void {
		const nowMs = this.#parts.clock.now();
		for (const { policy, notification } of told) {
			const { quietHours } = policy.spec;
			if (quietHours?.action === "Drop" && quietUntilMs(quietHours, nowMs) !== undefined) continue;
			for (const sink of policy.sinks) {
				const queue = { namespace: policy.namespace, policy: policy.key, sink: sink.name };
				const key = entryKey(queue, ++this.#sequence);
				draft.puts.push({ key, value: encoded({ atMs: nowMs, notification }) });
				draft.entries.push({ queue, entry: { key, atMs: nowMs, notification } });
			}
		}
	}

	#lookAgain(mark: string, kind: Kind, object: Run | NotifiedWorkload, atMs: number): void {
		this.#cancel(mark);
		const { clock } = this.#parts;
		const timer = clock.after(Math.max(atMs - clock.now(), gatherMs), () => {
			this.#again.delete(mark);
			this.#mark(kind, object, undefined);
		});
		this.#again.set(mark, timer);
	}

	#cancel(mark: string): void {
		this.#again.get(mark)?.cancel();
		this.#again.delete(mark);
	}
}

function markKey(kind: Kind, object: Run | NotifiedWorkload): string {
	return `${kind.plural}/${objectKey(object)}`;
}

/** What runs of the same work have in common. */
function workOf({ metadata, spec }: Run): string {
	return `${metadata.namespace}/${spec.cronJobName === undefined ? "job" : "cronjob"}/${spec.cronJobName ?? spec.jobName}`;
}

function isFinal({ status }: Run): boolean {
	return status.result !== "Running" && status.result !== "Skipped" && status.logs !== "Pending";
}

/** Of a run that was looked at as it was: what is told only now is new. */
function seenOf({ status }: Run): Seen {
	return {
		...((status.attempts ?? 1) > 1 && { attempts: status.attempts ?? 1 }),
		...(status.result !== "Running" && status.result !== "Skipped" && { ended: true as const }),
		...(status.skipped !== undefined && { skips: status.skipped.count }),
	};
}
