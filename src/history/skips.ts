/** Records the runs of CronJobs that did not happen: checks each CronJob shortly after each of its times. */
import type { InformerCache } from "../client/informer-cache.ts";
import { type Clock, parseTimestamp, type Timer, timestamp } from "../core/time/clock.ts";
import { cronJobs } from "../kinds/batch/cronjob.ts";
import { cronJobOf, scheduledTimeOf } from "../kinds/batch/cronjob-jobs.ts";
import type { CronJob, Job } from "../kinds/generated/types.ts";
import type { Run } from "../kinds/history/types.ts";
import { account, graceMs, type Schedule, type Skip, skipRun, withoutLast } from "./missed.ts";

const retryMs = 5000;

export interface SkipsParts {
	clock: Clock;
	/** Replaces a run, or removes it. */
	write(key: { namespace: string; name: string }, run: Run | undefined): Promise<void>;
	/** For Events of the CronJob. */
	tell?(cronJob: CronJob, text: { type: "Normal" | "Warning"; reason: string; message: string }): void;
	onError?(error: unknown): void;
}

/** The state of one CronJob, by its UID. */
interface Account {
	accountedMs: number;
	started: Set<number>;
	/** The record that may count the next skipped run: no run has started since. */
	last?: Run;
	nextMs: number;
}

export class Skips {
	readonly #parts: SkipsParts;
	readonly #accounts = new Map<string, Account>();
	#informers: InformerCache | undefined;
	#down: Schedule["down"];
	#timer: Timer | undefined;
	#timerMs = Number.POSITIVE_INFINITY;
	#working: Promise<void> | undefined;
	#stopped = false;
	#endListening: (() => void) | undefined;

	constructor(parts: SkipsParts) {
		this.#parts = parts;
	}

	/** A stored run, at startup. In no particular order. */
	known(run: Run): void {
		const { cronJobUID, scheduledTime } = run.spec;
		if (cronJobUID === undefined) return;
		const at = run.status.skipped?.lastScheduledTime ?? scheduledTime;
		if (at === undefined) return;
		const known = this.#account(cronJobUID);
		const atMs = parseTimestamp(at);
		const isNewest = atMs > known.accountedMs;
		if (!isNewest) return;
		known.accountedMs = atMs;
		if (run.status.skipped === undefined) delete known.last;
		else known.last = run;
	}

	/** An existing Job. */
	seen({ metadata }: Job): void {
		const owner = cronJobOf(metadata);
		const scheduled = scheduledTimeOf(metadata.annotations);
		if (owner === undefined || scheduled === undefined) return;
		const atMs = parseTimestamp(scheduled);
		const found = this.#account(owner.uid);
		if (found.started.has(atMs)) return;
		found.started.add(atMs);
		const { last } = found;
		if (last === undefined) return;
		const lastMs = parseTimestamp(last.status.skipped?.lastScheduledTime ?? "");
		if (atMs > lastMs) delete found.last;
		// It started late after all.
		else if (atMs === lastMs) void this.#takeBack(owner.uid, metadata.namespace ?? "", owner.name, last);
	}

	/** @param lastAliveMs when the cluster was last known to be running; undefined for a new one */
	start(informers: InformerCache, lastAliveMs: number | undefined): void {
		this.#informers = informers;
		const nowMs = this.#parts.clock.now();
		if (lastAliveMs !== undefined && lastAliveMs < nowMs) this.#down = { sinceMs: lastAliveMs, untilMs: nowMs };
		this.#endListening = informers.of(cronJobs).onChange((current, old) => this.#changed(current, old));
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#endListening?.();
		this.#timer?.cancel();
		await this.#working;
	}

	#account(uid: string): Account {
		const found = this.#accounts.get(uid) ?? { accountedMs: 0, started: new Set(), nextMs: Number.POSITIVE_INFINITY };
		this.#accounts.set(uid, found);
		return found;
	}

	#changed(current: CronJob | undefined, old: CronJob | undefined): void {
		if (current === undefined || (old !== undefined && old.metadata.uid !== current.metadata.uid)) {
			if (old !== undefined) this.#accounts.delete(old.metadata.uid);
			if (current === undefined) return;
		}
		const { metadata, spec, status } = current;
		const nowMs = this.#parts.clock.now();
		const found = this.#account(metadata.uid);
		const isOther = old !== undefined && (old.spec.schedule !== spec.schedule || old.spec.timeZone !== spec.timeZone);
		// Times of the old schedule do not count for the new one.
		if (isOther) found.accountedMs = nowMs;
		if (old !== undefined && !isOther && found.nextMs < Number.POSITIVE_INFINITY) return;
		// Without a record, the time before is unknown. The newest run may have been a catch-up.
		const lastMs = this.#down?.sinceMs ?? parseTimestamp(status?.lastScheduleTime ?? metadata.creationTimestamp);
		if (found.accountedMs === 0) found.accountedMs = Math.max(lastMs, parseTimestamp(metadata.creationTimestamp));
		// After a start, controllers have some time to catch up first.
		const { nextMs } = account({ cronJob: current, accountedMs: found.accountedMs, started: allTimes }, nowMs);
		found.nextMs = Math.max(old === undefined ? Math.min(nextMs ?? nowMs, nowMs + graceMs) : (nextMs ?? 0), nowMs);
		this.#schedule(found.nextMs);
	}

	#schedule(atMs: number): void {
		if (atMs >= this.#timerMs || this.#stopped) return;
		const { clock } = this.#parts;
		this.#timer?.cancel();
		this.#timerMs = atMs;
		this.#timer = clock.after(Math.max(atMs - clock.now(), 0), () => {
			this.#timerMs = Number.POSITIVE_INFINITY;
			this.#timer = undefined;
			this.#working ??= this.#look().finally(() => {
				this.#working = undefined;
				let nextMs = Number.POSITIVE_INFINITY;
				for (const found of this.#accounts.values()) nextMs = Math.min(nextMs, found.nextMs);
				if (nextMs < Number.POSITIVE_INFINITY) this.#schedule(nextMs);
			});
		});
	}

	async #look(): Promise<void> {
		const { clock } = this.#parts;
		for (const cronJob of this.#informers?.of(cronJobs).list() ?? []) {
			const found = this.#accounts.get(cronJob.metadata.uid);
			if (found === undefined || found.nextMs > clock.now()) continue;
			try {
				await this.#write(cronJob, found);
			} catch (error) {
				this.#parts.onError?.(error);
				found.nextMs = clock.now() + retryMs;
			}
			if (this.#stopped) return;
		}
	}

	async #write(cronJob: CronJob, found: Account): Promise<void> {
		const nowMs = this.#parts.clock.now();
		const { accountedMs, started } = found;
		const { skips, ...next } = account({ cronJob, accountedMs, started, down: this.#down }, nowMs);
		let last = found.last;
		let run = last;
		for (const [index, skip] of skips.entries()) {
			run = skipRun(cronJob, skip, run, this.#down, nowMs);
			// A night of missed minutes is written once.
			if (skips[index + 1]?.reason === skip.reason) continue;
			await this.#parts.write({ namespace: run.metadata.namespace ?? "", name: run.metadata.name }, run);
			last = run;
		}
		if (last !== undefined && skips.length > 0) found.last = last;
		this.#tell(cronJob, skips);
		found.accountedMs = next.accountedMs;
		found.nextMs = next.nextMs ?? Number.POSITIVE_INFINITY;
		for (const atMs of started) if (atMs <= next.accountedMs) started.delete(atMs);
	}

	/** Upstream's controller has no Event for this. */
	#tell(cronJob: CronJob, skips: readonly Skip[]): void {
		const of = (reason: Skip["reason"]) => skips.filter((skip) => skip.reason === reason);
		const [suspended, down] = [of("Suspended"), of("ClusterDown")];
		if (suspended.length > 0)
			this.#parts.tell?.(cronJob, {
				type: "Normal",
				reason: "RunSkipped",
				message: "Not starting job because the CronJob is suspended",
			});
		if (down.length > 0 && this.#down !== undefined) {
			const { sinceMs, untilMs } = this.#down;
			const what = down.length === 1 ? "1 run was missed" : `${down.length} runs were missed`;
			const message = `${what} while the cluster was down from ${timestamp(sinceMs)} to ${timestamp(untilMs)}`;
			this.#parts.tell?.(cronJob, { type: "Warning", reason: "RunsMissed", message });
		}
	}

	async #takeBack(uid: string, namespace: string, name: string, run: Run): Promise<void> {
		await this.#working;
		const found = this.#accounts.get(uid);
		const cronJob = this.#informers?.of(cronJobs).get(namespace, name);
		if (found?.last !== run || cronJob === undefined || this.#stopped) return;
		delete found.last;
		const left = withoutLast(run, cronJob);
		await this.#parts
			.write({ namespace, name: run.metadata.name }, left)
			.catch((error: unknown) => this.#parts.onError?.(error));
	}
}

/** As if every time had been met: only the next one counts. */
const allTimes: ReadonlySet<number> = { has: () => true } as unknown as ReadonlySet<number>;
