/**
 * Records what has been processed together with the messages about it, in one commit, so that each event gets into the
 * outbox once. The note says up to which revision all runs have been processed; what was reported about a run is noted
 * for each as long as more events may follow.
 */

import { sameJson } from "../../core/equal.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { type CommitCost, deleteCost, inCommits, putCost } from "../../store/commit-size.ts";
import type { Commit, Store } from "../../store/store.ts";
import type { Seen } from "../events/run-events.ts";
import type { WorkloadSeen } from "../events/workload-events.ts";
import type { Notification } from "../sinks/notification.ts";
import { Draft, type RunNote } from "./draft.ts";
import { type Cursor, cursorKey, encoded, entryKey, newestSequence, queueId, runKey, type Stored } from "./outbox.ts";
import type { Entry, QueueName } from "./queue.ts";

export interface JournalParts {
	store: Store;
	clock: Clock;
	stored: Stored & { cursor: Cursor };
	/** An entry was written to the store. */
	onEntry(queue: QueueName, entry: Entry): void;
	onError?(error: unknown): void;
}

/** A message, or the note of a run, to be written. */
interface Item {
	cost: CommitCost;
	message?: Draft["messages"][number];
	put?: Commit["puts"][number];
}

/** Changes that were processed without a message are noted occasionally. */
const noteMs = 5000;
/** A run that ended this long before the last note was certainly processed then. */
const slackMs = 120_000;

export class Journal {
	readonly #parts: JournalParts;
	/** By UID. */
	readonly #runs: Map<string, RunNote>;
	/** The stored notes. */
	readonly #storedRuns: Map<string, Seen>;
	/** UIDs of runs whose note is not stored. */
	readonly #unwritten = new Set<string>();
	readonly #workloads: Map<string, WorkloadSeen>;
	/** Entries in the outbox of a draft that could not be written completely: queue and ID. */
	readonly #partly = new Set<string>();
	#sequence: number;
	#revision: number;
	/** Everything up to this revision has been processed, and this is not noted yet. */
	#reached: number | undefined;
	readonly floorMs: number;
	#noting: Timer | undefined;
	/** Commits run one after the other. */
	#last: Promise<unknown> = Promise.resolve();
	#stopped = false;

	constructor(parts: JournalParts) {
		const { cursor, runs, workloads, entries } = parts.stored;
		this.#parts = parts;
		this.#runs = new Map([...runs].map(([uid, seen]) => [uid, { seen, endMs: Number.POSITIVE_INFINITY, revision: 0 }]));
		this.#storedRuns = new Map(runs);
		this.#workloads = workloads;
		this.#sequence = newestSequence(entries);
		this.#revision = cursor.revision;
		this.floorMs = cursor.atMs - slackMs;
	}

	/** All runs up to this revision have been processed. */
	get revision(): number {
		return Math.max(this.#reached ?? 0, this.#revision);
	}

	/** What was reported about a run but is not visible in it. */
	run(uid: string): Seen | undefined {
		return this.#runs.get(uid)?.seen;
	}

	workload(key: string): WorkloadSeen | undefined {
		return this.#workloads.get(key);
	}

	runGone(uid: string): void {
		this.#runs.delete(uid);
		this.#unwritten.delete(uid);
	}

	/** Earlier notes of all other runs are not needed any more. */
	keepRuns(uids: ReadonlySet<string>): void {
		for (const uid of this.#runs.keys()) if (!uids.has(uid)) this.#runs.delete(uid);
	}

	/** Everything up to a revision counts as processed. */
	reach(revision: number): void {
		this.#reached = Math.max(revision, this.revision);
		if (this.#needsNote) this.#noteLater();
	}

	get #needsNote(): boolean {
		return this.revision > this.#revision || this.#unwritten.size > 0;
	}

	/**
	 * @param reached everything up to this revision is processed with this draft; undefined: not everything
	 * @throws Error if it could not be written: those runs and workloads must be processed again
	 */
	async write(draft: Draft, reached: number | undefined): Promise<void> {
		const messages = draft.messages.filter((one) => !this.#partly.has(nameOf(one)));
		const mustWrite = messages.length + draft.workloads.size > 0;
		if (mustWrite) await this.#serial(() => this.#write(messages, draft, reached));
		for (const [uid, note] of draft.runs) {
			this.#runs.set(uid, note);
			// Processing it again loses nothing.
			if (!mustWrite) this.#unwritten.add(uid);
		}
		for (const [key, seen] of draft.workloads)
			if (seen === undefined) this.#workloads.delete(key);
			else this.#workloads.set(key, seen);
		if (!mustWrite) this.reach(reached ?? 0);
		else if (reached !== undefined) {
			this.#partly.clear();
			this.#forget();
		}
	}

	async #write(messages: Draft["messages"], draft: Draft, reached: number | undefined): Promise<void> {
		const revision = Math.max(reached ?? 0, this.#revision);
		const unwritten = this.#takeUnwritten();
		const runs = [...new Map([...unwritten, ...draft.runs])].filter(
			([uid, note]) => this.#isNews(uid, note) && !this.#isOver(note, revision),
		);
		const puts = [this.#noteOf(revision)];
		const deletes: string[] = [];
		for (const [key, seen] of draft.workloads)
			if (seen === undefined) deletes.push(key);
			else puts.push({ key, value: encoded(seen) });
		try {
			await this.#commitAll([...messages.map(itemOf), ...runs.map(runItem)], { puts, deletes });
		} catch (error) {
			for (const [uid] of unwritten) this.#unwritten.add(uid);
			throw error;
		}
		this.#revision = revision;
		for (const [uid, { seen }] of runs) this.#storedRuns.set(uid, seen);
	}

	/** Writes messages before the notes that they were reported, and the revision last. */
	async #commitAll(items: readonly Item[], rest: Pick<Commit, "puts" | "deletes">): Promise<void> {
		const groups = [...inCommits(items, ({ cost }) => cost, costOf(rest))];
		const last = groups.pop() ?? [];
		for (const group of groups) {
			await this.#commit(group, { puts: [], deletes: [] });
			for (const { message } of group) if (message !== undefined) this.#partly.add(nameOf(message));
		}
		await this.#commit(last, rest);
	}

	#takeUnwritten(): [string, RunNote][] {
		const taken = [...this.#unwritten].flatMap((uid): [string, RunNote][] => {
			const note = this.#runs.get(uid);
			return note === undefined ? [] : [[uid, note]];
		});
		this.#unwritten.clear();
		return taken;
	}

	/** Whether the store does not have it yet. */
	#isNews(uid: string, { seen }: RunNote): boolean {
		return Object.keys(seen).length > 0 && !sameJson(this.#storedRuns.get(uid), seen);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#noting?.cancel();
		await this.#last.catch(() => {});
		if (this.#needsNote) await this.#note();
	}

	async #commit(items: readonly Item[], { puts, deletes }: Pick<Commit, "puts" | "deletes">): Promise<void> {
		// Numbers that an unacknowledged commit has used are used again, so that its messages do not exist twice.
		let sequence = this.#sequence;
		const made = items.flatMap(({ message }) => {
			if (message === undefined) return [];
			const { queue, atMs, notification, value } = message;
			const key = entryKey(queue, ++sequence);
			return [{ queue, put: { key, value }, entry: { key, atMs, event: notification.event } }];
		});
		const others = items.flatMap(({ put }) => put ?? []);
		await this.#parts.store.commit({
			compare: [],
			puts: [...made.map(({ put }) => put), ...others, ...puts],
			deletes,
		});
		this.#sequence = sequence;
		for (const { queue, entry } of made) this.#parts.onEntry(queue, entry);
	}

	#noteOf(revision: number): Commit["puts"][number] {
		const cursor: Cursor = { revision, atMs: this.#parts.clock.now() };
		return { key: cursorKey, value: encoded(cursor) };
	}

	#noteLater(): void {
		if (this.#noting !== undefined || this.#stopped) return;
		this.#noting = this.#parts.clock.after(noteMs, () => {
			this.#noting = undefined;
			this.#note().catch((error: unknown) => {
				this.#parts.onError?.(error);
				this.#noteLater();
			});
		});
	}

	async #note(): Promise<void> {
		await this.#serial(() => this.#write([], new Draft(), this.revision));
		this.#forget();
	}

	/** Whether a reader of a note with this revision knows that the run was processed. */
	#isOver({ endMs, revision }: RunNote, noted: number): boolean {
		return revision <= noted && endMs < this.#parts.clock.now() - slackMs;
	}

	/** Removes notes of runs that the next start considers processed anyway. */
	#forget(): void {
		for (const [uid, note] of this.#runs) if (this.#isOver(note, this.#revision)) this.#runs.delete(uid);
		const over = [...this.#storedRuns.keys()].filter((uid) => !this.#runs.has(uid));
		for (const uids of inCommits(over, (uid) => deleteCost(runKey(uid)))) {
			for (const uid of uids) this.#storedRuns.delete(uid);
			// Remaining notes are correct, and the next start removes them.
			this.#serial(() => this.#parts.store.commit({ compare: [], puts: [], deletes: uids.map(runKey) })).catch(
				(error: unknown) => this.#parts.onError?.(error),
			);
		}
	}

	#serial<T>(work: () => Promise<T>): Promise<T> {
		const result = this.#last.then(work, work);
		this.#last = result;
		// The error is reported to the code that waits for it.
		result.catch(() => {});
		return result;
	}
}

function nameOf({ queue, notification }: { queue: QueueName; notification: Notification }): string {
	return `${queueId(queue)}/${notification.id}`;
}

/** Keys of queues consist of names, UIDs and a number. */
const mostKeyBytes = 400;

function itemOf(message: Draft["messages"][number]): Item {
	return { message, cost: { operations: 1, bytes: mostKeyBytes + message.value.length } };
}

function runItem([uid, { seen }]: readonly [string, RunNote]): Item {
	const put = { key: runKey(uid), value: encoded(seen) };
	return { put, cost: putCost(put) };
}

function costOf({ puts, deletes }: Pick<Commit, "puts" | "deletes">): CommitCost {
	const costs = [...puts.map(putCost), ...deletes.map(deleteCost)];
	return { operations: costs.length, bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0) };
}
