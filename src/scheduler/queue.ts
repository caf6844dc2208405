/** Pods without a node: ready to be tried, waiting for an event, or backing off. */

import { Heap } from "../core/heap.ts";
import type { Clock, Timer } from "../core/time/clock.ts";
import type { ClusterEvent } from "./filters/filter.ts";
import type { PodInfo } from "./model/pod-info.ts";

const firstBackoffMs = 1000;
const longestBackoffMs = 10_000;

interface Entry {
	pod: PodInfo;
	/** Equal for pods with the same requests and the same priority. */
	wants: string;
	state: "ready" | "waiting" | "backingOff" | "trying";
	/** Order of arrival, among pods of the same priority. */
	sequence: number;
	/** Attempts without success. */
	attempts: number;
	/** When it was added, on the monotonic clock. */
	addedMs: number;
	/** Not to be tried before this time, in epoch milliseconds. */
	backoffUntilMs: number;
	wakesOn: ReadonlySet<ClusterEvent>;
	/** An event that it waits for occurred while it was being tried. */
	woken: boolean;
	timer?: Timer;
}

/**
 * Higher priority first, then first come, first served. A rejected pod returns only after an event that the rejecting
 * filters named, and not before its backoff (1 s, doubling to 10 s) is over.
 */
export class SchedulingQueue {
	readonly #clock: Clock;
	readonly #onReady: () => void;
	readonly #entries = new Map<string, Entry>();
	/** May contain entries that are no longer ready; they are skipped when they are taken. */
	readonly #ready = new Heap<Entry>(
		(left, right) =>
			left.pod.priority > right.pod.priority ||
			(left.pod.priority === right.pod.priority && left.sequence < right.sequence),
	);
	/** Keys of pods that wait for an event. */
	readonly #waiting = new Map<ClusterEvent, Set<string>>();
	/** Pods that wait only for room, by their requests. */
	readonly #waitingForRoom = new Map<string, { priority: number; entries: Set<Entry> }>();
	#sequence = 0;

	constructor(clock: Clock, onReady: () => void) {
		this.#clock = clock;
		this.#onReady = onReady;
	}

	/** A pod that is new, or has changed so that another attempt may succeed. */
	add(pod: PodInfo): void {
		const entry = this.#entries.get(pod.key);
		if (entry !== undefined && entry.pod.uid === pod.uid && entry.state === "trying") {
			entry.pod = pod;
			entry.wants = wantsOf(pod);
			entry.woken = true;
			return;
		}
		this.remove(pod.key);
		const fresh: Entry = {
			pod,
			wants: wantsOf(pod),
			state: "waiting",
			sequence: this.#sequence++,
			attempts: 0,
			addedMs: this.#clock.monotonicMs(),
			backoffUntilMs: 0,
			wakesOn: new Set(),
			woken: false,
		};
		this.#entries.set(pod.key, fresh);
		this.#makeReady(fresh);
	}

	/** The same pod with changes that do not matter for scheduling. */
	refresh(pod: PodInfo): void {
		const entry = this.#entries.get(pod.key);
		if (entry !== undefined) entry.pod = pod;
	}

	get(key: string): PodInfo | undefined {
		return this.#entries.get(key)?.pod;
	}

	/** How often the pod has been tried, including this time, and since when it waits. */
	tries(key: string): { count: number; sinceMs: number } | undefined {
		const entry = this.#entries.get(key);
		return entry && { count: entry.attempts + 1, sinceMs: entry.addedMs };
	}

	/** Pods by what they wait for, without those that are being tried. */
	pending(): { active: number; backoff: number; unschedulable: number } {
		const count = { ready: 0, waiting: 0, backingOff: 0, trying: 0 };
		for (const { state } of this.#entries.values()) count[state]++;
		return { active: count.ready, backoff: count.backingOff, unschedulable: count.waiting };
	}

	/** The pod is bound or was deleted. */
	remove(key: string): void {
		const entry = this.#entries.get(key);
		if (entry === undefined) return;
		this.#leave(entry);
		this.#entries.delete(key);
	}

	/** The next pod to be tried. It must be returned with `refused` or `failed`, or removed with `remove`. */
	pop(): PodInfo | undefined {
		for (;;) {
			const entry = this.#ready.pop();
			if (entry === undefined) return undefined;
			if (entry.state !== "ready" || this.#entries.get(entry.pod.key) !== entry) continue;
			entry.state = "trying";
			entry.woken = false;
			return entry.pod;
		}
	}

	/** No node is suitable; `wakesOn` may change that. */
	refused(key: string, wakesOn: ReadonlySet<ClusterEvent>): void {
		const entry = this.#entries.get(key);
		if (entry?.state !== "trying") return;
		this.#backOff(entry);
		if (entry.woken) {
			this.#wake(entry);
			return;
		}
		entry.state = "waiting";
		entry.wakesOn = wakesOn;
		for (const event of wakesOn) {
			let keys = this.#waiting.get(event);
			if (keys === undefined) {
				keys = new Set();
				this.#waiting.set(event, keys);
			}
			keys.add(key);
		}
		if (!wakesOn.has("podGone") || waitsForMoreThanRoom(entry)) return;
		const group = this.#waitingForRoom.get(entry.wants) ?? { priority: entry.pod.priority, entries: new Set() };
		this.#waitingForRoom.set(entry.wants, group);
		group.entries.add(entry);
	}

	/** An error that is independent of the cluster's state: try again after the backoff. */
	failed(key: string): void {
		const entry = this.#entries.get(key);
		if (entry?.state !== "trying") return;
		this.#backOff(entry);
		this.#wake(entry);
	}

	/** An event: retries the pods that wait for it and for which it may matter. */
	wake(event: ClusterEvent, mayMatter: (pod: PodInfo) => boolean = () => true): void {
		this.#wakeEntries(event, ({ pod }) => mayMatter(pod));
	}

	/**
	 * There is room on a node: the first pod that waits only for room and fits is tried immediately, regardless of its
	 * backoff. If a thousand pods wait for one place, this costs one attempt. Pods that wait for more than room are
	 * ignored: `wakeOthers` is for them.
	 * @param hasRoom called once for all pods with the same requests and priority
	 * @returns the pod that is tried
	 */
	wakeFirst(hasRoom: (pod: PodInfo) => boolean, fits: (pod: PodInfo) => boolean): PodInfo | undefined {
		const groups = [...this.#waitingForRoom.values()].sort((left, right) => right.priority - left.priority);
		for (const { entries } of groups) {
			const [one] = entries;
			if (one === undefined || !hasRoom(one.pod)) continue;
			for (const entry of entries) {
				if (!fits(entry.pod)) continue;
				this.#leave(entry);
				this.#makeReady(entry);
				return entry.pod;
			}
		}
		return undefined;
	}

	/** A pod was removed: retries the pods for which it may have mattered for more than its resources. */
	wakeOthers(): void {
		this.#wakeEntries("podGone", waitsForMoreThanRoom);
	}

	/** Stops all timers. */
	close(): void {
		for (const key of [...this.#entries.keys()]) this.remove(key);
	}

	#wakeEntries(event: ClusterEvent, mayMatter: (entry: Entry) => boolean): void {
		const keys = this.#waiting.get(event);
		if (keys === undefined || keys.size === 0) return;
		for (const key of [...keys]) {
			const entry = this.#entries.get(key);
			if (entry === undefined || !mayMatter(entry)) continue;
			this.#leave(entry);
			this.#wake(entry);
		}
	}

	#backOff(entry: Entry): void {
		const backoffMs = Math.min(firstBackoffMs * 2 ** entry.attempts, longestBackoffMs);
		entry.attempts++;
		entry.backoffUntilMs = this.#clock.now() + backoffMs;
	}

	#wake(entry: Entry): void {
		const remainingMs = entry.backoffUntilMs - this.#clock.now();
		if (remainingMs <= 0) {
			this.#makeReady(entry);
			return;
		}
		entry.state = "backingOff";
		entry.timer = this.#clock.after(remainingMs, () => this.#makeReady(entry));
	}

	#makeReady(entry: Entry): void {
		entry.state = "ready";
		this.#ready.push(entry);
		this.#onReady();
	}

	/** Removes the entry from everything that it waits in. */
	#leave(entry: Entry): void {
		entry.timer?.cancel();
		for (const event of entry.wakesOn) this.#waiting.get(event)?.delete(entry.pod.key);
		entry.wakesOn = new Set();
		const group = this.#waitingForRoom.get(entry.wants);
		if (group?.entries.delete(entry) && group.entries.size === 0) this.#waitingForRoom.delete(entry.wants);
		if (entry.state === "ready") entry.state = "waiting";
	}
}

/** The location of other pods, or the existing volumes and devices, matter as well. */
function waitsForMoreThanRoom({ wakesOn }: Entry): boolean {
	return wakesOn.has("podPlaced") || wakesOn.has("storage") || wakesOn.has("devices");
}

function wantsOf({ priority, requests }: PodInfo): string {
	const { milliCpu, memoryBytes, ephemeralBytes, scalars } = requests;
	const more = scalars === undefined ? "" : JSON.stringify([...scalars]);
	return `${priority}|${milliCpu}|${memoryBytes}|${ephemeralBytes}|${more}`;
}
