/** What waits to be included in a run: facts, which are in the store, and logs that nodes have sent, which are not. */
import type { EndedLog } from "../core/ended-log.ts";
import type { Pod } from "../kinds/generated/types.ts";
import type { KeptLog } from "./records/archive.ts";
import { jobOfFact, type StoredFact } from "./records/facts.ts";

export interface BroughtLog {
	readonly log: KeptLog;
	resolve(isDone: boolean): void;
}

export class Waiting {
	/** By UID of the Job. */
	readonly #facts = new Map<string, StoredFact[]>();
	/** Key of a fact → UID of the Job. */
	readonly #jobOf = new Map<string, string>();
	/** By UID of the Job. */
	readonly #logs = new Map<string, BroughtLog[]>();

	/** @returns the Job that it belongs to */
	addFact(stored: StoredFact): ReturnType<typeof jobOfFact> {
		const job = jobOfFact(stored.fact);
		if (job === undefined) return undefined;
		const facts = this.#facts.get(job.uid) ?? [];
		this.#facts.set(job.uid, facts);
		const same = this.#jobOf.has(stored.key) ? facts.findIndex(({ key }) => key === stored.key) : -1;
		if (same >= 0) facts[same] = stored;
		else facts.push(stored);
		this.#jobOf.set(stored.key, job.uid);
		return job;
	}

	factsOf(jobUid: string): readonly StoredFact[] {
		return this.#facts.get(jobUid) ?? [];
	}

	/**
	 * The facts were removed from the store.
	 * @param keys any keys; only those of facts matter
	 */
	factsGone(keys: readonly string[]): void {
		const jobs = new Set<string>();
		for (const key of keys) {
			const uid = this.#jobOf.get(key);
			if (uid !== undefined) jobs.add(uid);
			this.#jobOf.delete(key);
		}
		for (const uid of jobs) {
			const left = this.#facts.get(uid)?.filter(({ key }) => this.#jobOf.has(key)) ?? [];
			if (left.length === 0) this.#facts.delete(uid);
			else this.#facts.set(uid, left);
		}
	}

	/** The pod's last state, if known. */
	podOf({ jobUid, podUid }: EndedLog): Pod | undefined {
		for (const { fact } of this.factsOf(jobUid))
			if (fact.type === "pod" && fact.object.metadata.uid === podUid) return fact.object;
		return undefined;
	}

	/**
	 * Resolves when it is settled.
	 * @returns whether the node does not have to send it again
	 */
	addLog(log: KeptLog): Promise<boolean> {
		return new Promise((resolve) => {
			const { jobUid } = log.fact.ended;
			const logs = this.#logs.get(jobUid) ?? [];
			this.#logs.set(jobUid, logs);
			logs.push({ log, resolve });
		});
	}

	/** Oldest first. */
	logsOf(jobUid: string): readonly BroughtLog[] {
		return this.#logs.get(jobUid) ?? [];
	}

	settle(logs: readonly BroughtLog[], isDone: boolean): void {
		for (const one of logs) {
			const { jobUid } = one.log.fact.ended;
			const left = this.logsOf(jobUid).filter((other) => other !== one);
			if (left.length === 0) this.#logs.delete(jobUid);
			else this.#logs.set(jobUid, left);
			one.resolve(isDone);
		}
	}

	/** Writing has stopped: nodes must send them again. */
	refuseLogs(): void {
		this.settle([...this.#logs.values()].flat(), false);
	}
}
