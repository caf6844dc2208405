/** Computes the runs that are due, and writes those that differ, many in one commit. */
import { objectKey } from "../api/cache/keys.ts";
import type { InformerCache } from "../client/informer-cache.ts";
import type { KubeObject } from "../core/object.ts";
import { type Clock, parseTimestamp } from "../core/time/clock.ts";
import { jobs } from "../kinds/batch/job.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { inCommits, largestCommit } from "../store/commit-size.ts";
import type { Marked, Marks } from "./marks.ts";
import { factPrefix, runName } from "./records/keys.ts";
import { entryOf } from "./retention/retention.ts";
import { costOf, type RunStore, type RunWrite } from "./run-store.ts";
import { failureText } from "./runs/failure-text.ts";
import { logPatienceMs, runOf } from "./runs/run-of.ts";
import { boundedRun, mostRunBytes } from "./runs/run-size.ts";
import type { BroughtLog, Waiting } from "./waiting.ts";

/** The minimum delay before a run is computed again. */
const leastAgainMs = 250;
/** The number of facts that are removed in the commit of their run; others are removed afterwards. */
const mostFactsAlong = 64;
const mostLogsAlong = 32;
/** The size of logs that are written in the commit of one run, which may have the maximum size. */
const mostLogBytesAlong = largestCommit.bytes - mostRunBytes - 64 * 1024;

/** Records an Event. */
export type Tell = (
	regarding: KubeObject,
	text: { type: "Normal" | "Warning"; reason: string; message: string },
) => void;

export interface RunWriterParts {
	runStore: RunStore;
	waiting: Waiting;
	marks: Marks;
	informers: InformerCache;
	clock: Clock;
	tell: Tell | undefined;
	/** Whether the namespace exists. */
	exists(namespace: string): Promise<boolean>;
	/** Loads facts that are in the store but not in memory. */
	loadFacts(prefix: string): Promise<void>;
}

/** A run to be written. */
interface Draft extends RunWrite {
	marked: Marked;
	before: Run | undefined;
	isChanged: boolean;
	logs: readonly BroughtLog[];
	/** After this time it is computed again. */
	againMs: number | undefined;
}

export class RunWriter {
	readonly #parts: RunWriterParts;

	constructor(parts: RunWriterParts) {
		this.#parts = parts;
	}

	/** @throws Error if a commit failed: what was due is due again */
	async write(due: readonly Marked[]): Promise<void> {
		const { runStore, marks } = this.#parts;
		const drafts: Draft[] = [];
		/** Keys of facts that are removed without a run. */
		const dropped: string[] = [];
		for (const marked of due) {
			const draft = await this.#draft(marked, dropped);
			if (draft !== undefined) drafts.push(draft);
		}
		const changed = drafts.filter(({ isChanged }) => isChanged);
		for (const group of inCommits(changed, costOf)) await this.#commit(group);
		const late = changed.flatMap(({ deletes }) => deletes.slice(mostFactsAlong));
		await this.#remove([...late, ...dropped]);
		for (const { marked, againMs } of drafts) if (againMs !== undefined) marks.mark(marked, againMs);
		if (changed.length > 0) await runStore.prune(changed);
	}

	async #commit(drafts: readonly Draft[]): Promise<void> {
		const { runStore, waiting, tell } = this.#parts;
		const written = drafts.map((draft) => ({ ...draft, deletes: draft.deletes.slice(0, mostFactsAlong) }));
		await runStore.write(written);
		waiting.factsGone(written.flatMap(({ deletes }) => deletes));
		waiting.settle(
			drafts.flatMap(({ logs }) => logs),
			true,
		);
		for (const { run, before } of drafts)
			if (run.status.result === "Failed" && before?.status.result !== "Failed") tell?.(run, failureText(run));
	}

	async #remove(facts: readonly string[]): Promise<void> {
		await this.#parts.runStore.remove(facts);
		this.#parts.waiting.factsGone(facts);
	}

	async #draft(marked: Marked, dropped: string[]): Promise<Draft | undefined> {
		const { runStore, waiting, clock, exists } = this.#parts;
		const { namespace, name, uid } = marked;
		const key = objectKey(runs, namespace, runName(name, uid));
		const stored = await runStore.runAt(key);
		const made = await this.#make(marked, stored?.run);
		const facts = made.facts.map((fact) => fact.key);
		const entry = made.run && entryOf(key, made.run);
		const isOld = stored === undefined && entry !== undefined && runStore.isTooOld(entry);
		if (made.run === undefined || entry === undefined || isOld || !(await exists(namespace))) {
			// Also for a Job that was never observed: its facts may be incomplete.
			if (made.run !== undefined || made.isGone) {
				dropped.push(...facts);
				waiting.settle(waiting.logsOf(uid), true);
			}
			return undefined;
		}
		const { run, value } = boundedRun(made.run);
		const isSame = stored !== undefined && Buffer.compare(value, stored.value) === 0;
		return {
			key,
			marked,
			modRevision: stored?.modRevision ?? 0,
			run,
			entry,
			value,
			before: stored?.run,
			isChanged: facts.length > 0 || made.logs.length > 0 || !isSame,
			deletes: facts,
			logs: made.logs,
			puts: made.logs.flatMap(({ log }) => log.put ?? []),
			againMs: made.isMore ? 0 : againMs(run, clock.now()),
		};
	}

	async #make({ namespace, name, uid }: Marked, before: Run | undefined) {
		const { waiting, informers, clock, loadFacts } = this.#parts;
		const found = informers.of(jobs).get(namespace, name);
		const isGone = found?.metadata.uid !== uid;
		const isEndKnown =
			before?.status.result !== "Running" || waiting.factsOf(uid).some(({ fact }) => fact.type === "job");
		if (isGone && !isEndKnown) await loadFacts(factPrefix(namespace, uid));
		// A copy, because facts may be added in the meantime.
		const facts = [...waiting.factsOf(uid)];
		const brought = waiting.logsOf(uid);
		const logs = firstOf(brought);
		const removed = new Set(facts.map(({ fact }) => fact.object.metadata.uid));
		const known = {
			namespace,
			name,
			uid,
			job: isGone || removed.has(uid) ? undefined : found,
			pods: [...informers.of(pods).controlledBy(uid)].filter(({ metadata }) => !removed.has(metadata.uid)),
			facts: [...facts.map(({ fact }) => fact), ...logs.map(({ log }) => log.fact)],
			before,
		};
		return { run: runOf(known, clock.now()), isGone, facts, logs, isMore: logs.length < brought.length };
	}
}

/** As many as fit in one commit. */
function firstOf(brought: readonly BroughtLog[]): BroughtLog[] {
	let bytes = 0;
	const end = brought.findIndex(({ log }, index) => {
		bytes += log.put?.value.length ?? 0;
		return index > 0 && (bytes > mostLogBytesAlong || index >= mostLogsAlong);
	});
	return end < 0 ? [...brought] : brought.slice(0, end);
}

/** How long to wait for logs; undefined for a run that waits for none, or is in progress. */
function againMs({ status: { logs, endTime } }: Run, nowMs: number): number | undefined {
	if (logs !== "Pending" || endTime === undefined) return undefined;
	const leftMs = parseTimestamp(endTime) + logPatienceMs - nowMs;
	// The clock may have been set: the wait is not longer than usual.
	return Math.min(Math.max(leftMs, leastAgainMs), logPatienceMs);
}
