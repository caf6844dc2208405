/** The runtime's sandboxes and containers, by pod. It is listed after changes, with at most one listing at a time. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Container, Runtime, Sandbox } from "../../runtime/runtime.ts";

export interface PodRuntime {
	/** Oldest first. */
	sandboxes: readonly Sandbox[];
	containers: readonly Container[];
}

/**
 * The interface of a runtime that keeps everything in memory and reports every change with `onChange`, such as the
 * simulated runtime.
 */
export interface InMemoryRuntime {
	/** Log of a container in CRI format; undefined if there is no such container. */
	logText(id: string): string | undefined;
}

/** A change that `onChange` did not report is detected after this time. */
const relistMs = 60_000;

const nothing: PodRuntime = { sandboxes: [], containers: [] };

/** Label of every container: the UID of its pod. The name is upstream's. */
export const podUidLabel = "io.kubernetes.pod.uid";

export class RuntimeView {
	readonly #runtime: Runtime;
	readonly #reportsAll: boolean;
	readonly #clock: Clock;
	readonly #changed: (podUid: string) => void;
	readonly #listeners = new Map<string, Set<() => void>>();
	#pods = new Map<string, PodRuntime>();
	/**
	 * The result of the last periodic listing. A later listing for another pod may have included a change that was not
	 * reported.
	 */
	#relisted: ReadonlyMap<string, PodRuntime> = new Map();
	#listing: Promise<void> | undefined;
	#next: Promise<void> | undefined;
	#relist: Timer | undefined;
	#closed = false;
	/** Number of pods that were read individually. */
	#taken = 0;

	/**
	 * @param changed called with the UID of a pod whose sandboxes or containers may have changed
	 * @param reportsAll the runtime reports every change with `onChange`: there is no periodic listing
	 */
	constructor(runtime: Runtime, clock: Clock, changed: (podUid: string) => void, reportsAll = false) {
		this.#runtime = runtime;
		this.#reportsAll = reportsAll;
		this.#clock = clock;
		this.#changed = (podUid) => {
			changed(podUid);
			for (const listener of this.#listeners.get(podUid) ?? []) listener();
		};
	}

	/** Lists the runtime for the first time and subscribes to changes. */
	async start(): Promise<void> {
		this.#runtime.onChange((podUid) => {
			if (!this.#closed) this.refresh(podUid).then(() => this.#changed(podUid), ignore);
		});
		await this.refresh();
		this.#relisted = this.#pods;
		this.#scheduleRelist();
	}

	of(podUid: string): PodRuntime {
		return this.#pods.get(podUid) ?? nothing;
	}

	/** UIDs of pods that have sandboxes or containers. */
	podUids(): Iterable<string> {
		return this.#pods.keys();
	}

	/**
	 * Calls the listener whenever the pod's containers may have changed.
	 * @returns a function that unsubscribes
	 */
	onChange(podUid: string, listener: () => void): () => void {
		const listeners = this.#listeners.get(podUid) ?? new Set();
		this.#listeners.set(podUid, listeners);
		listeners.add(listener);
		return () => {
			listeners.delete(listener);
			if (listeners.size === 0) this.#listeners.delete(podUid);
		};
	}

	/**
	 * Resolves when the result of a listing that began after the call is available.
	 * @param podUid the pod whose state is needed; undefined: all pods
	 * @throws errors of the runtime
	 */
	refresh(podUid?: string): Promise<void> {
		// A change of one pod costs nothing for the others, where the runtime can tell about it alone.
		const pod = podUid === undefined ? undefined : this.#runtime.ofPod?.(podUid);
		if (podUid !== undefined && pod !== undefined) return this.#takePod(podUid, pod);
		if (this.#listing === undefined) {
			this.#listing = this.#list().finally(() => {
				this.#listing = undefined;
			});
			return this.#listing;
		}
		// The listing in progress may not include what the caller needs. All callers until its end share the next one.
		this.#next ??= this.#listing.catch(ignore).then(() => {
			this.#next = undefined;
			return this.refresh();
		});
		return this.#next;
	}

	close(): void {
		this.#closed = true;
		this.#relist?.cancel();
	}

	async #takePod(podUid: string, reading: ReturnType<NonNullable<Runtime["ofPod"]>>): Promise<void> {
		const pod = sorted(await reading);
		this.#taken++;
		if (pod.sandboxes.length === 0 && pod.containers.length === 0) this.#pods.delete(podUid);
		else this.#pods.set(podUid, pod);
	}

	async #list(): Promise<void> {
		const taken = this.#taken;
		const [sandboxes, containers] = await Promise.all([this.#runtime.listSandboxes(), this.#runtime.listContainers()]);
		const pods = new Map<string, { sandboxes: Sandbox[]; containers: Container[] }>();
		const podOf = new Map<string, string>();
		const at = (uid: string) => {
			const pod = pods.get(uid) ?? { sandboxes: [], containers: [] };
			pods.set(uid, pod);
			return pod;
		};
		for (const sandbox of sandboxes) {
			podOf.set(sandbox.id, sandbox.config.podUid);
			at(sandbox.config.podUid).sandboxes.push(sandbox);
		}
		for (const container of containers) {
			const uid = podOf.get(container.sandboxId) ?? container.config.labels[podUidLabel];
			if (uid !== undefined) at(uid).containers.push(container);
		}
		for (const pod of pods.values()) sorted(pod);
		// A pod that was read in the meantime is newer than this listing.
		if (taken !== this.#taken) return this.#list();
		this.#pods = pods;
	}

	#scheduleRelist(): void {
		if (this.#closed || this.#reportsAll) return;
		this.#relist = this.#clock.after(relistMs, () => {
			this.refresh()
				.then(() => {
					const before = this.#relisted;
					this.#relisted = this.#pods;
					for (const [uid, pod] of this.#pods) if (differs(before.get(uid), pod)) this.#changed(uid);
					for (const uid of before.keys()) if (!this.#pods.has(uid)) this.#changed(uid);
				}, ignore)
				.finally(() => this.#scheduleRelist());
		});
	}
}

/** Sorts in place, oldest first. */
function sorted(pod: { sandboxes: Sandbox[]; containers: Container[] }): PodRuntime {
	if (pod.sandboxes.length > 1) pod.sandboxes.sort((a, b) => a.config.attempt - b.config.attempt);
	if (pod.containers.length > 1) pod.containers.sort((a, b) => a.createdAtMs - b.createdAtMs);
	return pod;
}

function differs(before: PodRuntime | undefined, now: PodRuntime): boolean {
	if (before === undefined) return true;
	const states = ({ sandboxes, containers }: PodRuntime) =>
		[...sandboxes, ...containers].map(({ id, state }) => `${id}=${state}`).join();
	return states(before) !== states(now);
}

/** The runtime is temporarily unavailable; the next change or periodic listing retries. */
function ignore(): void {}
