/** The watches of a shell: its controller's rules, and those of kinds that are added and removed while it runs. */
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import { aborted } from "../../core/aborted.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { KindsChange } from "../../kinds/engine/registry.ts";
import type { Controller, WatchRule } from "./controller.ts";

/** How long plans wait for a new kind. A kind that cannot be listed must not block the others forever. */
const longestCatchUpMs = 30_000;

export interface ShellWatchesParts {
	controller: Pick<Controller<unknown>, "watches" | "follows" | "wakes">;
	informers: InformerCache;
	clock: Clock;
	enqueue(key: string): void;
	/** Nothing is waited for any more: see `isBehind`. */
	caughtUp(): void;
	signal: AbortSignal;
}

export class ShellWatches {
	readonly #parts: ShellWatchesParts;
	/** Informers of the kinds that expectations wait for. */
	readonly #informers = new Map<Kind, Informer<KubeObject>>();
	readonly #rules = new Map<WatchRule, Informer<KubeObject>>();
	readonly #followed = new Map<Kind, { rule: WatchRule; end: AbortController }>();
	readonly #ends = new Map<WatchRule, () => void>();
	/** Of the kinds, when they were looked at last. */
	#kindCount = 0;
	#stopFollowing = () => {};
	#stopWaking = () => {};
	#behind = 0;

	constructor(parts: ShellWatchesParts) {
		this.#parts = parts;
		for (const rule of parts.controller.watches) this.#add(rule);
		this.#follow((rule) => this.#add(rule));
	}

	/** Whether a new kind has not been listed yet: objects that seem to have no dependents may have some. */
	get isBehind(): boolean {
		return this.#behind > 0;
	}

	/** Undefined for kinds that expectations do not wait for. */
	informer(kind: Kind): Informer<KubeObject> | undefined {
		return this.#informers.get(kind);
	}

	/**
	 * Resolves when everything has been listed. Informers that were synced before may lag behind the writes of an earlier
	 * shell.
	 * @param newest revision of the store
	 */
	async synced(newest: () => Promise<number>): Promise<void> {
		const { signal } = this.#parts;
		const inUse = [...this.#informers.values()].filter(({ synced }) => synced);
		await Promise.all([...this.#rules.values()].map((informer) => informer.reached(0, signal)));
		if (inUse.length === 0) return;
		const revision = await newest();
		await Promise.all(inUse.map((informer) => informer.reached(revision, signal)));
	}

	/** Reports the existing objects, then every change. */
	listen(): void {
		for (const rule of this.#rules.keys()) this.#listen(rule);
		const { follows, wakes } = this.#parts.controller;
		this.#stopWaking = wakes?.(this.#parts.enqueue) ?? this.#stopWaking;
		if (follows === undefined) return;
		const changed = (change?: KindsChange) =>
			this.#follow((rule, end) => {
				const informer = this.#add(rule);
				this.#listen(rule);
				for (const key of follows.keys?.(rule.kind, this.#parts.informers) ?? []) this.#parts.enqueue(key);
				if (!informer.synced) void this.#catchUp(informer, end.signal);
			}, change);
		this.#stopFollowing = follows.kinds.onChange(changed);
		// Kinds may have been added or removed since the constructor.
		changed();
	}

	end(): void {
		this.#stopFollowing();
		this.#stopWaking();
		for (const end of this.#ends.values()) end();
		for (const { end } of this.#followed.values()) end.abort(aborted);
	}

	#add(rule: WatchRule): Informer<KubeObject> {
		const informer = this.#parts.informers.of(rule.kind);
		for (const [name, values] of Object.entries(rule.indexes ?? {})) informer.addIndex(name, values);
		this.#rules.set(rule, informer);
		if (rule.expectations !== false) this.#informers.set(rule.kind, informer);
		return informer;
	}

	#listen(rule: WatchRule): void {
		const { informers, enqueue } = this.#parts;
		const end = this.#rules.get(rule)?.onChange((current, old) => {
			for (const key of rule.keys(current, old, informers)) enqueue(key);
		});
		if (end !== undefined) this.#ends.set(rule, end);
	}

	/**
	 * @param begin is called for each kind that was added since the last call
	 * @param change what has changed since then; undefined: whatever it was
	 */
	#follow(begin: (rule: WatchRule, end: AbortController) => void, change?: KindsChange): void {
		const { follows } = this.#parts.controller;
		if (follows === undefined) return;
		const all = follows.kinds.all();
		// Most definitions come when a cluster starts, and add a kind each. One that takes the place of another server's
		// kind makes the list no longer.
		const isOnlyMore = change?.removed.length === 0 && all.length === this.#kindCount + change.added.length;
		this.#kindCount = all.length;
		if (!isOnlyMore) this.#unfollow(new Set(all));
		for (const kind of isOnlyMore ? change.added : all) {
			const rule = this.#followed.has(kind) ? undefined : follows.rule(kind);
			if (rule === undefined) continue;
			const end = new AbortController();
			this.#followed.set(kind, { rule, end });
			begin(rule, end);
		}
	}

	/** Those that are no more. */
	#unfollow(kinds: ReadonlySet<Kind>): void {
		for (const [kind, { rule, end }] of this.#followed) {
			if (kinds.has(kind)) continue;
			end.abort(aborted);
			this.#ends.get(rule)?.();
			this.#ends.delete(rule);
			this.#rules.delete(rule);
			this.#followed.delete(kind);
			if (!this.#parts.controller.watches.some((other) => other.kind === kind)) this.#informers.delete(kind);
		}
	}

	async #catchUp(informer: Informer<KubeObject>, ended: AbortSignal): Promise<void> {
		const { clock, caughtUp } = this.#parts;
		this.#behind++;
		await new Promise<void>((resolve) => {
			const patience = clock.after(longestCatchUpMs, resolve);
			const settle = () => {
				patience.cancel();
				resolve();
			};
			// Rejected if the kind was removed already, or the shell stops.
			informer.reached(0, ended).then(settle, settle);
		});
		if (--this.#behind === 0) caughtUp();
	}
}
