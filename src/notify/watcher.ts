/**
 * Watches runs and workloads: each change is processed once, and events to report are written to the outbox. Changes
 * during downtime are processed after the start.
 */
import type { Informer, InformerCache } from "../client/informer-cache.ts";
import { objectKey, parseKey } from "../core/object.ts";
import type { Clock, Timer } from "../core/time/clock.ts";
import { daemonSets } from "../kinds/apps/daemonset.ts";
import { deployments } from "../kinds/apps/deployment.ts";
import { statefulSets } from "../kinds/apps/statefulset.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";
import type { NotifiedWorkload } from "./events/workload-events.ts";
import { isFinal, Looks } from "./looks.ts";
import { Draft } from "./outbox/draft.ts";
import { Journal, type JournalParts } from "./outbox/journal.ts";
import { workloadKey } from "./outbox/outbox.ts";
import { annotationPolicy, type Policy } from "./policies/policy.ts";
import type { PolicyIndex } from "./policy-index.ts";

export interface WatcherParts extends JournalParts {
	clock: Clock;
	informers: InformerCache;
	policies: PolicyIndex;
}

export const workloadKinds: readonly Kind<NotifiedWorkload>[] = [
	cronJobs,
	statefulSets,
	daemonSets,
	deployments,
	// Each is a kind of one of these types.
] as unknown as readonly Kind<NotifiedWorkload>[];

/** Changes are collected for this time before they are processed. */
const gatherMs = 50;
const retryMs = 1000;

interface Marked {
	key: string;
	kind: Kind;
	/** The run before the first of the changes that are processed together. */
	old: Run | undefined;
}

export class Watcher {
	readonly #parts: WatcherParts;
	readonly #runs: Informer<Run>;
	readonly #journal: Journal;
	readonly #looks: Looks;
	readonly #marked = new Map<string, Marked>();
	readonly #again = new Map<string, Timer>();
	readonly #ends: (() => void)[] = [];
	/** Everything up to this revision was processed before the watch began. */
	readonly #since: number;
	/** The newest revision of all changes of runs. */
	#newest = 0;
	#timer: Timer | undefined;
	#working: Promise<void> | undefined;
	#stopped = false;

	constructor(parts: WatcherParts) {
		this.#parts = parts;
		this.#runs = parts.informers.of(runs);
		this.#journal = new Journal(parts);
		this.#since = this.#journal.revision;
		this.#looks = new Looks({ ...parts, journal: this.#journal });
	}

	start(): void {
		const { informers } = this.#parts;
		this.#journal.keepRuns(new Set([...this.#runs.list()].map(({ metadata }) => metadata.uid)));
		this.#ends.push(this.#runs.onChange((current, old) => this.#runChanged(current, old)));
		for (const kind of workloadKinds)
			this.#ends.push(informers.of(kind).onChange((current, old) => this.#workloadChanged(kind, current, old)));
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		for (const end of this.#ends) end();
		for (const timer of [this.#timer, ...this.#again.values()]) timer?.cancel();
		await this.#working;
		await this.#journal.stop();
	}

	/** Other events may be reported from now on. */
	policyChanged({ namespace, events }: Policy): void {
		if (events.has("Slow"))
			for (const run of this.#runs.list(namespace)) if (run.status.result === "Running") this.#mark(runs, run, run);
		if (!events.has("Stuck") && !events.has("Back") && !events.has("SuspendedLong")) return;
		for (const kind of workloadKinds)
			for (const object of this.#parts.informers.of(kind).list(namespace)) this.#mark(kind, object, undefined);
	}

	#runChanged(current: Run | undefined, old: Run | undefined): void {
		if (current === undefined) {
			if (old === undefined) return;
			this.#journal.runGone(old.metadata.uid);
			this.#cancel(markKey(runs, old));
			return;
		}
		const revision = Number(current.metadata.resourceVersion);
		this.#newest = Math.max(this.#newest, revision);
		const wasLookedAt = revision <= this.#since;
		// A run in progress may become slow.
		if (wasLookedAt && current.status.result !== "Running") return;
		if (old !== undefined && isFinal(old)) return;
		// The state of processed objects is known: only new events are reported.
		this.#mark(runs, current, wasLookedAt ? current : old);
	}

	#workloadChanged(kind: Kind, current: NotifiedWorkload | undefined, old: NotifiedWorkload | undefined): void {
		const object = current ?? old;
		if (object === undefined) return;
		const isAnnotated = annotationPolicy("", current?.metadata.annotations) !== undefined;
		const { namespace = "", name } = object.metadata;
		const isKnown = this.#journal.workload(workloadKey(namespace, object.kind, name)) !== undefined;
		if (!isKnown && !isAnnotated && [...this.#parts.policies.of(namespace)].length === 0) return;
		this.#mark(kind, object, undefined);
	}

	#mark(kind: Kind, object: Run | NotifiedWorkload, old: Run | undefined): void {
		const key = markKey(kind, object);
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
			const taken: [string, Marked][] = [];
			const draft = new Draft();
			// One commit writes many runs, which may arrive one by one.
			const reached = this.#newest - 1;
			for (const [mark, marked] of this.#marked) {
				this.#marked.delete(mark);
				taken.push([mark, marked]);
				this.#lookAt(mark, marked, draft);
				if (draft.isFull) break;
			}
			try {
				await this.#journal.write(draft, this.#marked.size === 0 ? reached : undefined);
			} catch (error) {
				// With the state before the first attempt, regardless of later changes.
				for (const [mark, marked] of taken) this.#marked.set(mark, marked);
				throw error;
			}
		} while (this.#marked.size > 0 && !this.#stopped);
	}

	#lookAt(mark: string, { key, kind, old }: Marked, draft: Draft): void {
		this.#cancel(mark);
		const { namespace = "", name } = parseKey(key);
		let againMs: number | undefined;
		if (kind === (runs as Kind)) {
			const run = this.#runs.get(namespace, name);
			if (run !== undefined) againMs = this.#looks.run(run, old, draft);
		} else againMs = this.#looks.workload(kind, namespace, name, draft);
		if (againMs !== undefined) this.#lookAgain(mark, kind, key, againMs);
	}

	#lookAgain(mark: string, kind: Kind, key: string, atMs: number): void {
		const { clock, informers } = this.#parts;
		const timer = clock.after(Math.max(atMs - clock.now(), gatherMs), () => {
			this.#again.delete(mark);
			const { namespace = "", name } = parseKey(key);
			// Marks name runs and workloads.
			const object = informers.of(kind).get(namespace, name) as Run | NotifiedWorkload | undefined;
			// Evaluated only for the effects of time: changes since then are marked.
			if (object !== undefined) this.#mark(kind, object, object.kind === runs.kind ? (object as Run) : undefined);
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
