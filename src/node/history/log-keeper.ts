/**
 * Delivers the logs of terminated containers of Jobs to the API server. Nothing on the node waits for a delivery: a log
 * that cannot be delivered yet stays in its file, or, when its pod is removed, in a separate folder, until it is
 * delivered or a limit is reached.
 */

import type { EndedContainer, EndedLog } from "../../core/ended-log.ts";
import { controllerOf } from "../../core/object.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { timestamp } from "../../core/time/clock.ts";
import { jobLabels } from "../../kinds/batch/job-selector.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import { type EndOfLog, packed } from "./log-end.ts";
import type { Spool } from "./spool.ts";

/** Logs of containers that terminate within this time are delivered together. */
const gatherMs = 100;
const retry = { firstMs: 1000, longestMs: 30_000 };
/** The maximum size of one delivery; the number of bytes is approximate. */
const largestDelivery = { logs: 256, bytes: 1024 * 1024 };
/** A delivery ends when its runs are written, which takes longer while Jobs are running. */
const mostDeliveries = 4;
/** The limit for logs that wait in memory because there is no folder for them. */
const mostHeldBytes = 16 * 1024 * 1024;
const mostWaiting = 10_000;
/** A log that was not accepted for this time is dropped. */
const patienceMs = 24 * 3_600_000;

export interface LogKeeperParts {
	clock: Clock;
	/**
	 * @returns for each log, whether it does not have to be sent again
	 * @throws while the API server is unreachable
	 */
	deliver(logs: readonly EndedLog[]): Promise<readonly boolean[]>;
	/** Storage for the logs of removed pods. Absent: they wait in memory. */
	spool?: Spool;
	onError?(error: unknown): void;
}

interface Waiting {
	ended: EndedContainer;
	sinceMs: number;
	read(): Promise<EndOfLog>;
	/** Set when the log has been read and its file may be deleted. */
	log?: EndedLog;
	/** Name in the spool. */
	spooled?: string;
}

interface Chosen {
	waiting: Waiting;
	log: EndedLog;
}

export class LogKeeper {
	readonly #parts: LogKeeperParts;
	/** Until they are accepted, oldest first. */
	readonly #waiting = new Set<Waiting>();
	/** Those of them that a delivery contains. */
	readonly #underWay = new Set<Waiting>();
	#heldBytes = 0;
	#timer: Timer | undefined;
	#delayMs = 0;
	#deliveries = 0;
	/** Choosing what goes into the next delivery. */
	#choosing: Promise<void> | undefined;
	#stopped = false;

	constructor(parts: LogKeeperParts) {
		this.#parts = parts;
		void this.#takeUp();
	}

	/**
	 * A container has terminated.
	 * @param read reads its log; the file may be deleted after `settle`
	 */
	ended(pod: Pod, container: Container, read: () => Promise<EndOfLog>): void {
		const ended = endedContainer(pod, container);
		if (ended === undefined || this.#stopped) return;
		this.#waiting.add({ ended, read, sinceMs: this.#parts.clock.monotonicMs() });
		if (this.#waiting.size > mostWaiting) this.#drop(this.#oldest);
		this.#schedule();
	}

	/** Resolves when the pod's log files are no longer needed. Waits only for the node's own disk. */
	async settle(podUid: string): Promise<void> {
		for (const waiting of [...this.#waiting]) {
			if (waiting.ended.podUid !== podUid) continue;
			const log = await this.#logOf(waiting);
			if (log === undefined || this.#parts.spool === undefined || waiting.spooled !== undefined) continue;
			waiting.spooled = await this.#parts.spool.put(log).catch((error: unknown) => {
				this.#parts.onError?.(error);
				return undefined;
			});
		}
	}

	/** Resolves when nothing more is read. The next agent delivers the remaining logs, and those without a reply. */
	async stop(): Promise<void> {
		this.#stopped = true;
		this.#timer?.cancel();
		await this.#choosing;
	}

	async #takeUp(): Promise<void> {
		const { spool, clock, onError } = this.#parts;
		const names = (await spool?.list().catch((error: unknown) => onError?.(error))) ?? [];
		for (const name of names) {
			const log = await spool?.get(name);
			if (log === undefined) continue;
			const { data, bytes, omittedBytes, ...ended } = log;
			const read = async () => ({ data, bytes, omittedBytes });
			this.#waiting.add({ ended, read, spooled: name, sinceMs: clock.monotonicMs() });
		}
		this.#schedule();
	}

	get #oldest(): Waiting | undefined {
		return this.#waiting.values().next().value;
	}

	#schedule(): void {
		if (this.#timer !== undefined || this.#choosing !== undefined || this.#stopped) return;
		if (this.#deliveries >= mostDeliveries || this.#waiting.size === this.#underWay.size) return;
		this.#timer = this.#parts.clock.after(Math.max(this.#delayMs, gatherMs), () => {
			this.#timer = undefined;
			this.#choosing = this.#choose()
				.catch((error: unknown) => this.#parts.onError?.(error))
				.finally(() => {
					this.#choosing = undefined;
					this.#schedule();
				});
		});
	}

	/** Sends the oldest. */
	async #choose(): Promise<void> {
		const batch: Chosen[] = [];
		let bytes = 0;
		for (const waiting of [...this.#waiting]) {
			if (batch.length >= largestDelivery.logs || bytes >= largestDelivery.bytes) break;
			if (this.#underWay.has(waiting)) continue;
			const log = await this.#logOf(waiting);
			if (log === undefined) continue;
			bytes += log.data.length;
			batch.push({ waiting, log });
		}
		if (batch.length > 0 && !this.#stopped) void this.#deliver(batch);
	}

	async #deliver(batch: readonly Chosen[]): Promise<void> {
		this.#deliveries++;
		for (const { waiting } of batch) this.#underWay.add(waiting);
		let done: readonly boolean[];
		try {
			done = await this.#parts.deliver(batch.map(({ log }) => log));
		} catch {
			// The server is unavailable; the next attempt is made when it is back.
			done = [];
		}
		this.#deliveries--;
		for (const { waiting } of batch) this.#underWay.delete(waiting);
		this.#delivered(batch, done);
		this.#schedule();
	}

	#delivered(batch: readonly Chosen[], done: readonly boolean[]): void {
		const nowMs = this.#parts.clock.monotonicMs();
		const later: Waiting[] = [];
		for (const [index, { waiting }] of batch.entries()) {
			if (done[index] === true || nowMs - waiting.sinceMs > patienceMs) this.#drop(waiting);
			else if (this.#waiting.has(waiting)) later.push(waiting);
		}
		this.#delayMs = later.length > 0 ? Math.min(Math.max(this.#delayMs * 2, retry.firstMs), retry.longestMs) : 0;
		if (done.length === 0) {
			this.#forgetRead();
			return;
		}
		// A log that is not accepted does not block the others.
		for (const waiting of later) {
			this.#waiting.delete(waiting);
			this.#waiting.add(waiting);
		}
	}

	async #logOf(waiting: Waiting): Promise<EndedLog | undefined> {
		if (waiting.log !== undefined) return waiting.log;
		const read = await waiting.read().catch((error: unknown) => {
			this.#parts.onError?.(error);
			return { data: new Uint8Array(), bytes: 0, omittedBytes: 0 };
		});
		const { data, bytes, omittedBytes } = await packed(read);
		const log = { data, bytes, omittedBytes, ...waiting.ended };
		if (!this.#waiting.has(waiting)) return undefined;
		// `settle` and a delivery may read it at the same time.
		if (waiting.log !== undefined) return waiting.log;
		waiting.log = log;
		this.#heldBytes += log.data.length;
		if (this.#parts.spool === undefined && this.#heldBytes > mostHeldBytes) this.#drop(this.#oldest);
		return waiting.log;
	}

	/** Logs that can be read again use no memory while the API server is unreachable. */
	#forgetRead(): void {
		if (this.#parts.spool === undefined) return;
		for (const waiting of this.#waiting) {
			if (waiting.log === undefined) continue;
			this.#heldBytes -= waiting.log.data.length;
			delete waiting.log;
			const { spooled } = waiting;
			if (spooled === undefined) continue;
			waiting.read = async () => {
				const found = await this.#parts.spool?.get(spooled);
				return found ?? { data: new Uint8Array(), bytes: 0, omittedBytes: 0 };
			};
		}
	}

	#drop(waiting: Waiting | undefined): void {
		if (waiting === undefined || !this.#waiting.delete(waiting)) return;
		this.#underWay.delete(waiting);
		this.#heldBytes -= waiting.log?.data.length ?? 0;
		if (waiting.spooled !== undefined) void this.#parts.spool?.remove(waiting.spooled).catch(() => {});
	}
}

/** Undefined for pods that do not belong to a Job. */
function endedContainer({ metadata }: Pod, { config, ...container }: Container): EndedContainer | undefined {
	const job = jobOf(metadata);
	if (job === undefined) return undefined;
	const { startedAtMs, finishedAtMs, exitCode, reason } = container;
	return {
		namespace: metadata.namespace ?? "",
		jobName: job.name,
		jobUid: job.uid,
		podName: metadata.name,
		podUid: metadata.uid,
		container: config.name,
		attempt: config.attempt,
		...(startedAtMs !== undefined && { startedAt: timestamp(startedAtMs) }),
		...(finishedAtMs !== undefined && { finishedAt: timestamp(finishedAtMs) }),
		...(exitCode !== undefined && { exitCode }),
		...(reason !== undefined && reason !== "" && { reason }),
	};
}

/** Of a pod that no longer exists in the API, the node knows only the labels. */
export function jobOf(metadata: Pod["metadata"]): { name: string; uid: string } | undefined {
	const owner = controllerOf({ metadata });
	if (owner !== undefined) return owner.kind === "Job" ? owner : undefined;
	const { [jobLabels.name]: name, [jobLabels.uid]: uid } = metadata.labels ?? {};
	return name === undefined || uid === undefined ? undefined : { name, uid };
}
