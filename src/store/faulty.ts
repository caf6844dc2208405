/** A store with faults of disks, networks and concurrent writers, from a seed. For simulations and tests. */

import { ApiError } from "../core/errors.ts";
import type { Clock, Random } from "../core/time/clock.ts";
import type { Change, CommitResult, Store } from "./store.ts";

/** Probabilities are from 0 (never, the default) to 1. May be changed while the store is in use. */
export interface Faults {
	/** A commit that changes existing keys fails as if its comparison did not hold: its writer must read and retry. */
	conflict?: number;
	/** A commit takes effect, and its writer gets an ApiError Timeout. */
	lostReply?: number;
	/** A commit does not take effect, and its writer gets the same error. */
	refused?: number;
	/** A read or a commit takes a while. */
	slow?: number;
	/** The maximum delay, in milliseconds. */
	slowMs?: number;
	/** Changes reach a watch late, but in order. */
	watchDelay?: number;
	watchDelayMs?: number;
}

export function createFaultyStore(
	store: Store,
	options: { faults: Readonly<Faults>; clock: Clock; random?: Random },
): Store {
	const { faults, clock, random = clock.random } = options;
	const strikes = (probability: number | undefined) => probability !== undefined && random() < probability;

	/** Runs synchronously without delays, so that a store without faults behaves like the underlying store. */
	function inTime<T>(work: () => Promise<T>): Promise<T> {
		if (!strikes(faults.slow)) return work();
		return clock.sleep(random() * (faults.slowMs ?? 0)).then(work);
	}

	async function conflicting(commit: Parameters<Store["commit"]>[0]): Promise<CommitResult> {
		const current = await Promise.all(commit.compare.map(({ key }) => store.get(key)));
		return { ok: false, current };
	}

	return {
		revision: () => inTime(() => store.revision()),
		get: (key) => inTime(() => store.get(key)),
		range: (range) => inTime(() => store.range(range)),
		commit: (commit) =>
			inTime(() => {
				// A writer that finds no key, as expected, would know that there was no conflict.
				const disputable = commit.compare.some(({ modRevision }) => modRevision > 0);
				if (disputable && strikes(faults.conflict)) return conflicting(commit);
				const lost = () => new ApiError("Timeout", "the store's reply was lost; the commit may have been made");
				if (strikes(faults.refused)) return Promise.reject(lost());
				if (!strikes(faults.lostReply)) return store.commit(commit);
				return store.commit(commit).then(() => {
					throw lost();
				});
			}),
		watch: (watchOptions, sink) => store.watch(watchOptions, delayed(watchOptions.signal, sink)),
		compact: (revision) => store.compact(revision),
		close: () => store.close(),
	};

	/** A sink whose calls are sometimes delayed, but in order and never after an abort. */
	function delayed(signal: AbortSignal, sink: Parameters<Store["watch"]>[1]): Parameters<Store["watch"]>[1] {
		const late: (() => void)[] = [];
		const hand = (call: () => void) => {
			if (late.length === 0 && !strikes(faults.watchDelay)) {
				call();
				return;
			}
			late.push(call);
			if (late.length === 1) clock.after(random() * (faults.watchDelayMs ?? 0), handAll);
		};
		const handAll = () => {
			if (signal.aborted) late.length = 0;
			while (late.length > 0) {
				late[0]?.();
				late.shift();
			}
		};
		return {
			changes: (changes: readonly Change[]) => hand(() => sink.changes(changes)),
			end: (error: Error) => hand(() => sink.end(error)),
		};
	}
}
