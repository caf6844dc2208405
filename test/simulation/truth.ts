/** The contents of the store after every commit, and the invariants that must hold. */
import { createHash } from "node:crypto";
import { controllerOf, type KubeObject } from "../../src/core/object.ts";
import type { Change } from "../../src/store/store.ts";
import type { SimulatedCluster, Told } from "./cluster.ts";
import type { JumpingClock } from "./jumping-clock.ts";

/** A change of one object. `old` is undefined for a created object, `current` for a deleted one. */
export type Observe = (current: KubeObject | undefined, old: KubeObject | undefined, truth: Truth) => void;

export class Truth {
	readonly objects = new Map<string, KubeObject>();
	readonly byUid = new Map<string, KubeObject>();
	/** Broken invariants, with the time since the start. */
	readonly violations: string[] = [];
	commitCount = 0;
	readonly clock: JumpingClock;
	/** A clock that stops while the controllers are down: measures how long they could have reacted to a change. */
	readonly runningMs: () => number;
	/** UIDs of objects that users deleted, or tried to, together with their dependents. */
	readonly deletedByUser: ReadonlySet<string>;
	/** UIDs of objects that the garbage collector deleted, or tried to. */
	readonly collected: ReadonlySet<string>;
	/** Notifications that a sink has taken. */
	readonly told: readonly Told[];
	readonly #startMs: number;
	readonly #hash = createHash("sha256");
	readonly #observers: Observe[];
	readonly #stop = new AbortController();

	constructor(
		cluster: Pick<SimulatedCluster, "store" | "clock" | "controlPlane" | "deletedByUser" | "collected" | "told">,
		observers: Observe[],
	) {
		const { store, clock, controlPlane } = cluster;
		this.clock = clock;
		this.runningMs = () => controlPlane.runningMs();
		this.deletedByUser = cluster.deletedByUser;
		this.collected = cluster.collected;
		this.told = cluster.told;
		this.#startMs = clock.monotonicMs();
		this.#observers = observers;
		store.watch(
			{ prefix: "/", afterRevision: 0, signal: this.#stop.signal },
			{
				changes: (changes) => {
					this.commitCount++;
					for (const change of changes) this.#apply(change);
				},
				end: (error) => this.violation(`the watch on the store ended: ${error.message}`),
			},
		);
	}

	/** Equal for two identical runs. */
	get hash(): string {
		return this.#hash.copy().digest("hex").slice(0, 16);
	}

	*of(kind: string): Iterable<KubeObject> {
		for (const object of this.objects.values()) if (object.kind === kind) yield object;
	}

	*controlledBy(owner: KubeObject, kind: string): Iterable<KubeObject> {
		for (const object of this.of(kind)) if (controllerOf(object)?.uid === owner.metadata.uid) yield object;
	}

	violation(text: string): void {
		const seconds = ((this.clock.monotonicMs() - this.#startMs) / 1000).toFixed(1);
		if (this.violations.length < 50) this.violations.push(`${seconds} s: ${text}`);
	}

	stop(): void {
		this.#stop.abort();
	}

	#apply(change: Change): void {
		// Allocations of addresses and ports are no objects.
		if (!change.key.startsWith("/objects/")) return;
		const old = this.objects.get(change.key);
		let current: KubeObject | undefined;
		this.#hash.update(`${this.clock.now()} ${change.revision} ${change.type} ${change.key}\n`);
		if (change.type === "put") {
			this.#hash.update(change.value);
			// The store holds what the API encoded: objects.
			current = JSON.parse(Buffer.from(change.value).toString("utf8")) as KubeObject;
			this.objects.set(change.key, current);
			this.byUid.set(current.metadata.uid, current);
		} else {
			this.objects.delete(change.key);
			if (old !== undefined) this.byUid.delete(old.metadata.uid);
		}
		for (const observe of this.#observers) observe(current, old, this);
	}
}
