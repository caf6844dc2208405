/** Writes pod statuses to the API: the newest one only, one write at a time for each pod, and only what changed. */
import type { Client } from "../client/client.ts";
import type { Clock, Timer } from "../core/clock.ts";
import { isReason } from "../core/errors.ts";
import type { Pod, PodStatus } from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod.ts";
import { ownConditions } from "./pod-conditions.ts";
import { sameStatus } from "./pod-status.ts";

const firstRetryMs = 500;
const longestRetryMs = 30_000;

/** The statuses of one pod on their way to the API. */
export class StatusWriter {
	readonly #client: Client;
	readonly #clock: Clock;
	/** Called when a write has been acknowledged. */
	readonly #written: () => void;
	#acknowledged: PodStatus | undefined;
	#wanted: { pod: Pod; status: PodStatus } | undefined;
	#writing = false;
	#retryMs = firstRetryMs;
	#timer: Timer | undefined;
	#closed = false;

	constructor(client: Client, clock: Clock, known: PodStatus | undefined, written: () => void) {
		this.#client = client;
		this.#clock = clock;
		this.#acknowledged = known;
		this.#written = written;
	}

	/** Whether the API has the status. */
	has(status: PodStatus): boolean {
		return sameStatus(this.#acknowledged, status);
	}

	/** @param delayMs how long the status may wait for a newer one that makes it needless */
	write(pod: Pod, status: PodStatus, delayMs = 0): void {
		this.#wanted = { pod, status };
		if (this.#writing || this.#closed) return;
		if (delayMs > 0) {
			this.#timer ??= this.#clock.after(delayMs, () => this.#begin());
			return;
		}
		this.#begin();
	}

	close(): void {
		this.#closed = true;
		this.#timer?.cancel();
	}

	#begin(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		if (this.#writing || this.#closed) return;
		this.#writing = true;
		void this.#run().finally(() => {
			this.#writing = false;
		});
	}

	async #run(): Promise<void> {
		while (this.#wanted !== undefined && !this.#closed) {
			const { pod, status } = this.#wanted;
			this.#wanted = undefined;
			if (this.has(status)) continue;
			try {
				await this.#send(pod, status);
			} catch (error) {
				// Gone, or another pod of that name by now: the feed will say so.
				if (isReason(error, "NotFound", "Conflict")) continue;
				this.#wanted ??= { pod, status };
				const delayMs = this.#retryMs;
				this.#retryMs = Math.min(delayMs * 2, longestRetryMs);
				this.#timer = this.#clock.after(delayMs, () => this.#begin());
				return;
			}
			this.#retryMs = firstRetryMs;
			this.#acknowledged = status;
			this.#written();
		}
	}

	async #send(pod: Pod, status: PodStatus): Promise<void> {
		const { namespace, name, uid } = pod.metadata;
		const change = statusPatch(this.#acknowledged, status);
		// Only conditions of others differ.
		if (Object.keys(change).length === 0) return;
		const patch = { metadata: { uid }, status: change };
		await this.#client.patch(pods, { namespace, name }, { type: "strategic", patch }, "status");
	}
}

/** Merged by key by strategic patches, and therefore to be replaced as a whole when they change. */
const mergedLists = new Set(["podIPs", "hostIPs"]);

/** A strategic merge patch from one status to another. Conditions are merged by type: those of others stay untouched. */
export function statusPatch(old: PodStatus | undefined, status: PodStatus): Record<string, unknown> {
	const patch: Record<string, unknown> = {};
	const before: Record<string, unknown> = { ...old };
	const after: Record<string, unknown> = { ...status };
	for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
		const value = after[key];
		if (key === "conditions") {
			const changed = conditionsPatch(old, status);
			if (changed.length > 0) patch[key] = changed;
		} else if (value === undefined) patch[key] = null;
		else if (JSON.stringify(value) !== JSON.stringify(before[key])) {
			const replaces = mergedLists.has(key) && Array.isArray(before[key]) && Array.isArray(value);
			patch[key] = replaces ? [...value, { $patch: "replace" }] : value;
		}
	}
	return patch;
}

function conditionsPatch(old: PodStatus | undefined, status: PodStatus): object[] {
	const before = new Map((old?.conditions ?? []).map((condition) => [condition.type, condition]));
	const patch: object[] = [];
	for (const condition of status.conditions ?? []) {
		if (!ownConditions.has(condition.type)) continue;
		const known = before.get(condition.type);
		before.delete(condition.type);
		if (known !== undefined && JSON.stringify(known) === JSON.stringify(condition)) continue;
		const dropped = Object.keys(known ?? {}).filter((field) => !(field in condition));
		patch.push({ ...condition, ...Object.fromEntries(dropped.map((field) => [field, null])) });
	}
	for (const type of before.keys()) if (type.startsWith("PodResize")) patch.push({ $patch: "delete", type });
	return patch;
}
