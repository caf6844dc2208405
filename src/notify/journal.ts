/**
 * What has been looked at, and what is to be told of it: both go into the store together, so that each happening gets
 * into the outbox once. The note says up to which revision all runs have been looked at as they were; what is beyond it
 * is noted for each run.
 */
import type { Clock, Timer } from "../core/clock.ts";
import { type CommitCost, deleteCost, inCommits, largestCommit, putCost } from "../store/commit-size.ts";
import type { Commit, Store } from "../store/store.ts";
import type { Notification } from "./notification.ts";
import {
	type Cursor,
	cursorKey,
	encoded,
	encodedMessage,
	entryKey,
	newestSequence,
	queueId,
	runKey,
	type Stored,
} from "./outbox.ts";
import type { Entry, QueueName } from "./queue.ts";
import type { Seen } from "./run-events.ts";
import type { WorkloadSeen } from "./workload-events.ts";

export interface JournalParts {
	store: Store;
	clock: Clock;
	stored: Stored;
	/** Where there is no note: all runs up to this revision count as looked at, and what ended before this time as told. */
	since: { revision: number; floorMs: number };
	/** An entry is in the store. */
	onEntry(queue: QueueName, entry: Entry): void;
	onError?(error: unknown): void;
}

/** What is known of a run besides what it says itself. */
interface RunNote {
	seen: Seen;
	/** Whether that stays so: some of it never shows in the run. */
	isOpen: boolean;
	/** Of the run when it was looked at. */
	revision: number;
}

/** What a look at some runs and workloads leads to. */
export class Draft {
	readonly messages: { queue: QueueName; atMs: number; notification: Notification; value: Uint8Array }[] = [];
	/** By UID. */
	readonly runs = new Map<string, RunNote>();
	/** By key; undefined: nothing is to be remembered of it any more. */
	readonly workloads = new Map<string, WorkloadSeen | undefined>();
	#bytes = 0;

	tell(queue: QueueName, atMs: number, notification: Notification): void {
		const value = encodedMessage({ atMs, notification });
		this.messages.push({ queue, atMs, notification, value });
		this.#bytes += value.length;
	}

	/** Whether it is time to write it: with what the next look adds it is still one commit, as a rule. */
	get isFull(): boolean {
		const operations = this.messages.length + this.runs.size + this.workloads.size;
		return operations >= largestCommit.operations / 2 || this.#bytes >= largestCommit.bytes / 2;
	}
}

/** What has been looked at and told nothing is noted once in a while. */
const noteMs = 5000;
/** What ended so long before the last note was certainly looked at then. */
const slackMs = 120_000;

export class Journal {
	readonly #parts: JournalParts;
	/** By UID. */
	readonly #runs: Map<string, RunNote>;
	/** UIDs of those that the store has. */
	readonly #storedRuns: Set<string>;
	readonly #workloads: Map<string, WorkloadSeen>;
	/** What is in the outbox of a look that could not be written whole: queue and id. */
	readonly #partly = new Set<string>();
	#sequence: number;
	#revision: number;
	/** Up to here all has been looked at, and it is not noted yet. */
	#reached: number | undefined;
	readonly floorMs: number;
	#noting: Timer | undefined;
	/** One commit after the other. */
	#last: Promise<unknown> = Promise.resolve();
	#stopped = false;

	constructor(parts: JournalParts) {
		const { since, stored } = parts;
		const { cursor, runs, workloads, entries } = stored;
		this.#parts = parts;
		this.#runs = new Map([...runs].map(([uid, seen]) => [uid, { seen, isOpen: true, revision: 0 }]));
		this.#storedRuns = new Set(runs.keys());
		this.#workloads = workloads;
		this.#sequence = newestSequence(entries);
		this.#revision = cursor?.revision ?? since.revision;
		this.floorMs = cursor === undefined ? since.floorMs : cursor.atMs - slackMs;
	}

	/** All runs up to this revision have been looked at as they were. */
	get revision(): number {
		return Math.max(this.#reached ?? 0, this.#revision);
	}

	/** What was told of a run and does not show in it. */
	run(uid: string): Seen | undefined {
		return this.#runs.get(uid)?.seen;
	}

	workload(key: string): WorkloadSeen | undefined {
		return this.#workloads.get(key);
	}

	runGone(uid: string): void {
		this.#runs.delete(uid);
	}

	/** What is known from before of all others is not needed any more. */
	keepRuns(uids: ReadonlySet<string>): void {
		for (const uid of this.#runs.keys()) if (!uids.has(uid)) this.#runs.delete(uid);
	}

	/** All up to a revision counts as looked at. */
	reach(revision: number): void {
		this.#reached = Math.max(revision, this.revision);
		this.#noteLater();
	}

	/**
	 * @param reached up to this revision all has been looked at with it; undefined: not all
	 * @throws Error when it could not be written: those runs and workloads have to be looked at again
	 */
	async write(draft: Draft, reached: number | undefined): Promise<void> {
		const messages = draft.messages.filter((one) => !this.#partly.has(nameOf(one)));
		const isNew = reached !== undefined && reached > this.revision;
		const runs = [...draft.runs].filter(([, { isOpen }]) => isOpen || reached === undefined);
		if (messages.length + runs.length + draft.workloads.size > 0)
			await this.#serial(async () => {
				const rest = this.#restOf(runs, draft.workloads, reached);
				const groups = [...inCommits(messages, ({ value }) => entryCost(value), costOf(rest))];
				const last = groups.pop() ?? [];
				for (const group of groups) {
					await this.#commit(group, { puts: [], deletes: [] });
					for (const one of group) this.#partly.add(nameOf(one));
				}
				await this.#commit(last, rest);
				if (reached !== undefined) this.#partly.clear();
				this.#revision = Math.max(reached ?? 0, this.#revision);
				for (const [uid] of runs) this.#storedRuns.add(uid);
			});
		for (const [uid, seen] of draft.runs) this.#runs.set(uid, seen);
		for (const [key, seen] of draft.workloads)
			if (seen === undefined) this.#workloads.delete(key);
			else this.#workloads.set(key, seen);
		if (isNew && reached > this.#revision) this.reach(reached);
		else if (isNew) await this.#forget();
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#noting?.cancel();
		await this.#last.catch(() => {});
		if (this.#reached !== undefined) await this.#note();
	}

	#restOf(
		runs: readonly [string, RunNote][],
		workloads: Draft["workloads"],
		reached: number | undefined,
	): Pick<Commit, "puts" | "deletes"> {
		const puts = [this.#noteOf(Math.max(reached ?? 0, this.#revision))];
		const deletes: string[] = [];
		for (const [uid, { seen }] of runs) puts.push({ key: runKey(uid), value: encoded(seen) });
		for (const [key, seen] of workloads)
			if (seen === undefined) deletes.push(key);
			else puts.push({ key, value: encoded(seen) });
		return { puts, deletes };
	}

	async #commit(messages: Draft["messages"], { puts, deletes }: Pick<Commit, "puts" | "deletes">): Promise<void> {
		// Numbers that a commit without a reply has used are used again: what it wrote is not there twice.
		let sequence = this.#sequence;
		const made = messages.map(({ queue, atMs, notification, value }) => {
			const key = entryKey(queue, ++sequence);
			return { queue, put: { key, value }, entry: { key, atMs, event: notification.event } };
		});
		await this.#parts.store.commit({ compare: [], puts: [...made.map(({ put }) => put), ...puts], deletes });
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
		await this.#serial(async () => {
			const reached = this.revision;
			await this.#parts.store.commit({ compare: [], puts: [this.#noteOf(reached)], deletes: [] });
			this.#revision = Math.max(reached, this.#revision);
		});
		await this.#forget();
	}

	/** What the note says need not be remembered of each run. */
	async #forget(): Promise<void> {
		if (this.#reached !== undefined && this.#reached <= this.#revision) this.#reached = undefined;
		for (const [uid, { isOpen, revision }] of this.#runs)
			if (!isOpen && revision <= this.#revision) this.#runs.delete(uid);
		const over = [...this.#storedRuns].filter((uid) => !this.#runs.has(uid));
		for (const uids of inCommits(over, (uid) => deleteCost(runKey(uid)))) {
			await this.#serial(() => this.#parts.store.commit({ compare: [], puts: [], deletes: uids.map(runKey) }));
			for (const uid of uids) this.#storedRuns.delete(uid);
		}
	}

	#serial<T>(work: () => Promise<T>): Promise<T> {
		const result = this.#last.then(work, work);
		this.#last = result;
		// Reported to whoever waits for it.
		result.catch(() => {});
		return result;
	}
}

function nameOf({ queue, notification }: { queue: QueueName; notification: Notification }): string {
	return `${queueId(queue)}/${notification.id}`;
}

/** Keys of queues are made of names, UIDs and a number. */
const mostKeyBytes = 400;

function entryCost(value: Uint8Array): CommitCost {
	return { operations: 1, bytes: mostKeyBytes + value.length };
}

function costOf({ puts, deletes }: Pick<Commit, "puts" | "deletes">): CommitCost {
	const costs = [...puts.map(putCost), ...deletes.map(deleteCost)];
	return { operations: costs.length, bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0) };
}
