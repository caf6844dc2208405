/** Runs, facts and logs in the store, and the pruning of runs. */
import { keyPrefix, objectKey } from "../api/cache/keys.ts";
import type { Clock } from "../core/time/clock.ts";
import { parseTimestamp } from "../core/time/clock.ts";
import { leases } from "../kinds/core/lease.ts";
import type { Lease } from "../kinds/generated/types.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run, RunLog, RunPod } from "../kinds/history/types.ts";
import { type CommitCost, deleteCost, inCommits, putCost } from "../store/commit-size.ts";
import { prefixEnd, type Store } from "../store/store.ts";
import { keysUnder } from "./records/archive.ts";
import { factRoot, logPrefix, logRoot } from "./records/keys.ts";
import { entryOf, type RunEntry, RunIndex } from "./retention/retention.ts";
import type { HistorySettings } from "./retention/settings.ts";
import { boundedRun } from "./runs/run-size.ts";

const pageEntries = 256;
const nodeLeaseNamespace = "kube-node-lease";

/** A run to be written. */
export interface RunWrite {
	key: string;
	/** modRevision of the run that it replaces; 0: none. */
	modRevision: number;
	run: Run;
	/** The run as the index has it. */
	entry: RunEntry;
	/** See `boundedRun`. */
	value: Uint8Array;
	/** What its commit writes and removes in addition. */
	puts: readonly { key: string; value: Uint8Array }[];
	deletes: readonly string[];
}

/** Its cost in a commit. */
export function costOf({ key, value, puts, deletes }: RunWrite): CommitCost {
	const cost = { operations: 1 + puts.length + deletes.length, bytes: key.length + value.length };
	for (const put of puts) cost.bytes += putCost(put).bytes;
	for (const deleted of deletes) cost.bytes += deleteCost(deleted).bytes;
	return cost;
}

export class RunStore {
	readonly index = new RunIndex();
	readonly #store: Store;
	readonly #settings: HistorySettings;
	readonly #clock: Pick<Clock, "now">;

	constructor(store: Store, settings: HistorySettings, clock: Pick<Clock, "now">) {
		this.#store = store;
		this.#settings = settings;
		this.#clock = clock;
	}

	async runAt(key: string): Promise<{ run: Run; value: Uint8Array; modRevision: number } | undefined> {
		const entry = await this.#store.get(key);
		return entry && { run: decodeRun(entry.value), value: entry.value, modRevision: entry.modRevision };
	}

	/** All runs, each of which is added to the index. */
	async *load(): AsyncGenerator<Run> {
		for await (const { key, value } of this.entries(keyPrefix(runs))) {
			const run = decodeRun(value);
			this.index.set(entryOf(key, run));
			yield run;
		}
	}

	async *entries(prefix: string): AsyncGenerator<{ key: string; value: Uint8Array }> {
		const to = prefixEnd(prefix);
		for (let from = prefix; ; ) {
			const range = { from, ...(to !== undefined && { to }), limit: pageEntries };
			const { entries, more } = await this.#store.range(range);
			yield* entries;
			const last = entries.at(-1);
			if (!more || last === undefined) return;
			from = `${last.key}\0`;
		}
	}

	/**
	 * Writes runs and what belongs to them in one commit.
	 * @throws Error if a run has changed: another writer changed it, or a response was lost
	 */
	async write(writes: readonly RunWrite[]): Promise<void> {
		if (writes.length === 0) return;
		const puts = writes.flatMap(({ key, value, puts: others }) => [{ key, value }, ...others]);
		const compare = writes.map(({ key, modRevision }) => ({ key, modRevision }));
		const result = await this.#store.commit({ compare, puts, deletes: writes.flatMap(({ deletes }) => deletes) });
		if (!result.ok) throw new Error("a run was written by another recorder");
		for (const { entry } of writes) this.index.set(entry);
	}

	/** @param of runs that were written: their groups are pruned */
	async prune(of: readonly RunWrite[] = []): Promise<void> {
		const groups = new Set(of.map(({ entry }) => entry.group));
		const gone = this.index.excess(this.#settings, this.#clock.now(), groups);
		const keys: string[] = [];
		// The run last: while it exists, its logs are found.
		for (const { key, namespace, name } of gone)
			keys.push(...(await keysUnder(this.#store, logPrefix(namespace, name))), key);
		await this.remove(keys);
		for (const { key } of gone) this.index.remove(key);
		for (const entry of this.index.excessLogs(this.#settings)) await this.#pruneLogs(entry);
	}

	/** The run is updated before its logs are removed. */
	async #pruneLogs({ key, namespace, name }: RunEntry): Promise<void> {
		const stored = await this.runAt(key);
		if (stored !== undefined) {
			await this.write([writeOf(key, stored.modRevision, withoutLogs(stored.run))]);
		}
		await this.remove(await keysUnder(this.#store, logPrefix(namespace, name)));
	}

	/** Whether a run that is not stored would be removed immediately. */
	isTooOld(entry: RunEntry): boolean {
		return this.index.isTooOld(entry, this.#settings, this.#clock.now());
	}

	/** @param run undefined: removes it */
	async replace(namespace: string, name: string, run: Run | undefined): Promise<void> {
		const key = objectKey(runs, namespace, name);
		if (run === undefined) {
			await this.remove([key]);
			this.index.remove(key);
			return;
		}
		const { modRevision = 0 } = (await this.#store.get(key)) ?? {};
		const written = writeOf(key, modRevision, run);
		await this.write([written]);
		await this.prune([written]);
	}

	/**
	 * Runs are removed with their namespace, like all of its contents.
	 * @returns the removed keys
	 */
	async removeNamespace(namespace: string): Promise<string[]> {
		const keys: string[] = [];
		for (const prefix of [keyPrefix(runs, namespace), `${logRoot}${namespace}/`, `${factRoot}${namespace}/`])
			keys.push(...(await keysUnder(this.#store, prefix)));
		await this.remove(keys);
		for (const key of keys) this.index.remove(key);
		return keys;
	}

	/** In order, in as many commits as necessary. */
	async remove(keys: readonly string[]): Promise<void> {
		for (const deletes of inCommits(keys, deleteCost)) await this.#store.commit({ compare: [], puts: [], deletes });
	}

	/** When a node last renewed its lease, in epoch milliseconds; undefined if none ever did. */
	async lastAliveMs(): Promise<number | undefined> {
		let lastMs: number | undefined;
		for await (const { value } of this.entries(keyPrefix(leases, nodeLeaseNamespace))) {
			// The API server stores Leases under this key.
			const { spec } = JSON.parse(Buffer.from(value).toString()) as Lease;
			const renewedMs = parseTimestamp(spec.renewTime ?? "");
			if (renewedMs > (lastMs ?? 0)) lastMs = renewedMs;
		}
		return lastMs;
	}
}

function writeOf(key: string, modRevision: number, whole: Run): RunWrite {
	const { run, value } = boundedRun(whole);
	return { key, modRevision, run, entry: entryOf(key, run), value, puts: [], deletes: [] };
}

function withoutLogs({ status, ...run }: Run): Run {
	const { logBytes: _, ...left } = status;
	// A run in progress receives new data.
	const goesOn = status.result === "Running";
	return {
		...run,
		status: { ...left, ...(goesOn ? { pods: (status.pods ?? []).map(withoutLog) } : { logs: "Pruned" }) },
	};
}

function withoutLog({ containers = [], ...pod }: RunPod): RunPod {
	const omitted = ({ bytes, omittedBytes = 0 }: RunLog) => ({
		bytes: 0,
		storedBytes: 0,
		omittedBytes: omittedBytes + bytes,
	});
	return {
		...pod,
		containers: containers.map(({ attempts, ...container }) => ({
			...container,
			...(attempts && {
				attempts: attempts.map(({ log, ...attempt }) => ({ ...attempt, ...(log && { log: omitted(log) }) })),
			}),
		})),
	};
}

function decodeRun(value: Uint8Array): Run {
	// Only recorders write there.
	return JSON.parse(Buffer.from(value).toString()) as Run;
}
