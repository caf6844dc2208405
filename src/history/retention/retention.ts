/** Which runs and logs are removed. */
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Run } from "../../kinds/history/types.ts";
import { type Share, surrendered } from "./fair-share.ts";
import type { HistorySettings } from "./settings.ts";

/** The data of a run that is kept in memory. */
export interface RunEntry extends Share {
	key: string;
	name: string;
	/** Runs of one CronJob, of Jobs with one name, or runs that did not happen: each group is counted separately. */
	group: string;
	/** Start of the run, in epoch milliseconds. */
	atMs: number;
	/** Runs in progress are kept. */
	ended: boolean;
	logBytes: number;
}

export function entryOf(key: string, { metadata, spec, status }: Run): RunEntry {
	const { namespace = "", name, creationTimestamp } = metadata;
	const of = spec.cronJobName === undefined ? `job/${spec.jobName}` : `cronjob/${spec.cronJobName}`;
	const start = status.startTime ?? status.skipped?.lastScheduledTime ?? creationTimestamp;
	return {
		key,
		namespace,
		name,
		workload: spec.cronJobName ?? "",
		group: `${namespace}/${of}${status.result === "Skipped" ? "/skipped" : ""}`,
		atMs: parseTimestamp(start),
		ended: status.result !== "Running",
		logBytes: status.logs === "Pruned" ? 0 : (status.logBytes ?? 0),
	};
}

/** All runs, by key and by age. */
export class RunIndex {
	readonly #byKey = new Map<string, RunEntry>();
	readonly #groups = new Map<string, RunEntry[]>();
	/** Oldest first. */
	readonly #byAge: RunEntry[] = [];
	#logBytes = 0;

	get size(): number {
		return this.#byKey.size;
	}

	get logBytes(): number {
		return this.#logBytes;
	}

	get(key: string): RunEntry | undefined {
		return this.#byKey.get(key);
	}

	/** Oldest first. */
	all(): readonly RunEntry[] {
		return this.#byAge;
	}

	/** Adds or replaces a run. */
	set(entry: RunEntry): void {
		this.remove(entry.key);
		this.#byKey.set(entry.key, entry);
		this.#logBytes += entry.logBytes;
		const group = this.#groups.get(entry.group);
		if (group === undefined) this.#groups.set(entry.group, [entry]);
		else group.push(entry);
		// Nearly always the newest.
		let at = this.#byAge.length;
		while (at > 0 && (this.#byAge[at - 1]?.atMs ?? 0) > entry.atMs) at--;
		this.#byAge.splice(at, 0, entry);
	}

	remove(key: string): void {
		const entry = this.#byKey.get(key);
		if (entry === undefined) return;
		this.#byKey.delete(key);
		this.#logBytes -= entry.logBytes;
		const group = this.#groups.get(entry.group) ?? [];
		group.splice(group.indexOf(entry), 1);
		if (group.length === 0) this.#groups.delete(entry.group);
		this.#byAge.splice(this.#byAge.lastIndexOf(entry), 1);
	}

	/** Whether a run that is not in the index would be removed immediately. */
	isTooOld({ group, atMs }: RunEntry, settings: HistorySettings, nowMs: number): boolean {
		if (atMs < nowMs - settings.ageMs) return true;
		const others = this.#groups.get(group);
		if (others === undefined || others.length < settings.runs) return false;
		let newer = 0;
		for (const other of others) if (other.atMs > atMs) newer++;
		return newer >= settings.runs;
	}

	/** The runs to remove, all of which have ended: the number of runs in progress is limited by the Jobs that exist. */
	excess(settings: HistorySettings, nowMs: number, groups: Iterable<string>): RunEntry[] {
		const found = new Set<RunEntry>();
		for (const entry of this.#byAge) {
			if (entry.atMs >= nowMs - settings.ageMs) break;
			if (entry.ended) found.add(entry);
		}
		for (const name of groups) {
			const group = this.#groups.get(name);
			if (group === undefined || group.length <= settings.runs) continue;
			const ended = group.filter((entry) => entry.ended && !found.has(entry)).sort((a, b) => a.atMs - b.atMs);
			for (const entry of ended.slice(0, group.length - settings.runs)) found.add(entry);
		}
		if (this.#byKey.size - found.size <= settings.allRuns) return [...found];
		const ended = this.#byAge.filter((entry) => entry.ended && !found.has(entry));
		return [...found, ...surrendered(ended, ended.length - settings.allRuns, () => 1)];
	}

	/** Runs whose logs are removed to make room for others; those of runs in progress last. */
	excessLogs(settings: HistorySettings): RunEntry[] {
		if (this.#logBytes <= settings.logBytes) return [];
		const inOrder = [...this.#byAge.filter(({ ended }) => ended), ...this.#byAge.filter(({ ended }) => !ended)];
		return surrendered(inOrder, this.#logBytes - settings.logBytes, ({ logBytes }) => logBytes);
	}
}
