/** List and watch: keeps an informer cache's objects up to date. */

import { aborted } from "../core/aborted.ts";
import { isReason } from "../core/errors.ts";
import type { WatchEvent } from "../core/exchange.ts";
import { deepFreeze, type KubeObject, objectKey } from "../core/object.ts";
import type { Clock, Timer } from "../core/time/clock.ts";
import { type Kind, qualifiedResource } from "../kinds/engine/kind.ts";
import type { Client } from "./client.ts";
import type { Informer, InformerCache, InformerSelection } from "./informer-cache.ts";
import { Objects } from "./objects.ts";
import { Waiters } from "./waiters.ts";

export interface InformerCacheOptions {
	clock: Clock;
	/** Called for failed lists and watches, which are retried. */
	onError?(error: unknown, what: string): void;
	/** Removes managedFields from objects, to save memory. Default: false. */
	withoutManagedFields?: boolean;
}

const firstRetryMs = 200;
const longestRetryMs = 30_000;
/**
 * How long `reached` waits for the watch before it lists. A watch of a kind without writes may receive nothing for a
 * minute, and only a list confirms that nothing was missed.
 */
const patienceMs = 250;

const everything: InformerSelection = {};

/** An informer cache that lists and watches through `client`. Kinds are watched from their first use until `close`. */
export function createInformerCache(client: Client, options: InformerCacheOptions): InformerCache {
	const informers = new Map<string, WatchingInformer<KubeObject>>();
	/** Informers without a selection, which controllers request most often. */
	const whole = new Map<unknown, WatchingInformer<KubeObject>>();
	return {
		of<T extends KubeObject>(kind: Kind<T>, selection: InformerSelection = everything): Informer<T> {
			const known = selection === everything ? whole.get(kind) : undefined;
			// The map contains each informer under its own kind, so it holds that kind's objects.
			if (known !== undefined) return known as unknown as Informer<T>;
			const { namespace = "", fieldSelector = "", labelSelector = "" } = selection;
			const id = [qualifiedResource(kind), namespace, fieldSelector, labelSelector].join("|");
			let informer = informers.get(id);
			if (informer === undefined) {
				informer = new WatchingInformer<KubeObject>(kind, selection, client, options);
				informers.set(id, informer);
				informer.start();
			}
			if (selection === everything) whole.set(kind, informer);
			// As above.
			return informer as unknown as Informer<T>;
		},
		forget(kind) {
			for (const [id, informer] of informers) {
				if (informer.kind !== kind) continue;
				informer.close();
				informers.delete(id);
			}
			whole.delete(kind);
		},
		async synced(signal) {
			await Promise.all([...informers.values()].map((informer) => informer.reached(0, signal)));
		},
		close() {
			for (const informer of informers.values()) informer.close();
			informers.clear();
			whole.clear();
		},
	};
}

type Listener<T> = (current: T | undefined, old: T | undefined) => void;

class WatchingInformer<T extends KubeObject> implements Informer<T> {
	readonly kind: Kind<T>;
	readonly #selection: InformerSelection;
	readonly #client: Client;
	readonly #options: InformerCacheOptions;
	readonly #objects = new Objects<T>();
	readonly #listeners: Listener<T>[] = [];
	readonly #waiters = new Waiters();
	/** Aborts the list or watch in progress. */
	#attempt = new AbortController();
	#revision = -1;
	#failures = 0;
	#closed = false;
	#listing = false;
	#retry: Timer | undefined;
	#patience: Timer | undefined;

	constructor(kind: Kind<T>, selection: InformerSelection, client: Client, options: InformerCacheOptions) {
		this.kind = kind;
		this.#selection = selection;
		this.#client = client;
		this.#options = options;
	}

	get revision(): number {
		return Math.max(this.#revision, 0);
	}

	get synced(): boolean {
		return this.#revision >= 0;
	}

	get(namespace: string | undefined, name: string): T | undefined {
		return this.#objects.get(namespace === undefined || namespace === "" ? name : `${namespace}/${name}`);
	}

	list(namespace?: string): Iterable<T> {
		return this.#objects.list(namespace);
	}

	ownedBy(uid: string): Iterable<T> {
		return this.#objects.ownedBy(uid);
	}

	controlledBy(uid: string): Iterable<T> {
		return this.#objects.controlledBy(uid);
	}

	byIndex(index: string, value: string): Iterable<T> {
		return this.#objects.byIndex(index, value);
	}

	addIndex(index: string, values: (object: T) => readonly string[]): void {
		this.#objects.addIndex(index, values);
	}

	reached(revision: number, signal?: AbortSignal): Promise<void> {
		if (this.#revision >= revision) return Promise.resolve();
		const reached = this.#waiters.wait(revision, signal);
		this.#beImpatient();
		return reached;
	}

	onChange(listener: Listener<T>): () => void {
		this.#listeners.push(listener);
		for (const object of this.#objects.list()) listener(object, undefined);
		return () => {
			const place = this.#listeners.indexOf(listener);
			if (place >= 0) this.#listeners.splice(place, 1);
		};
	}

	start(): void {
		this.#listing = true;
		this.#list().catch((error: unknown) => {
			this.#listing = false;
			this.#failed(error, "list");
		});
	}

	close(): void {
		this.#closed = true;
		this.#attempt.abort(aborted);
		this.#retry?.cancel();
		this.#patience?.cancel();
		this.#waiters.close();
	}

	async #list(): Promise<void> {
		const attempt = this.#restart();
		const list = await this.#client.list(this.kind, { ...this.#selection, signal: attempt.signal });
		this.#listing = false;
		if (attempt.signal.aborted) return;
		this.#replace(list.items, Number(list.resourceVersion));
		this.#failures = 0;
		this.#watch();
	}

	/** Reports differences between the list and the current objects to listeners, like watch events. */
	#replace(items: readonly T[], revision: number): void {
		// A server that lags behind must not revert the objects.
		if (revision < this.#revision) return;
		const gone = new Set(this.#objects.keys());
		const changed: T[] = [];
		for (const item of items) {
			const key = objectKey(item);
			gone.delete(key);
			if (this.#objects.get(key)?.metadata.resourceVersion !== item.metadata.resourceVersion) changed.push(item);
		}
		for (const key of gone) this.#tell(undefined, this.#objects.delete(key));
		for (const item of changed) this.#take(item, this.#objects.get(objectKey(item)));
		this.#advance(revision);
	}

	#watch(): void {
		const attempt = this.#restart();
		this.#client.watch(
			this.kind,
			{ ...this.#selection, resourceVersion: String(this.#revision), signal: attempt.signal },
			{
				event: (event) => {
					this.#failures = 0;
					this.#apply(event);
				},
				end: (error) => {
					if (error === undefined) this.#again(() => this.#watch(), this.#failures++ === 0 ? 0 : this.#delayMs());
					// The revision to resume from is compacted: relist immediately.
					else if (isReason(error, "Expired", "Gone"))
						this.#again(() => this.start(), this.#failures++ === 0 ? 0 : this.#delayMs());
					else this.#failed(error, "watch");
				},
			},
		);
	}

	#apply({ type, object, revision }: WatchEvent<T>): void {
		// One commit may change several objects, with the same revision. Lower revisions have been processed.
		if (revision < this.#revision) return;
		if (type === "DELETED") {
			const key = objectKey(object);
			// Both the deletion and the recreation were already seen in a list.
			const known = this.#objects.get(key);
			if (known !== undefined && known.metadata.uid === object.metadata.uid)
				this.#tell(undefined, this.#objects.delete(key));
		} else if (type !== "BOOKMARK") {
			const known = this.#objects.get(objectKey(object));
			if (known?.metadata.resourceVersion !== object.metadata.resourceVersion) this.#take(object, known);
		}
		this.#advance(revision);
	}

	/**
	 * An object that was deleted and recreated between two events is another object: listeners are told that the old one
	 * was deleted.
	 */
	#take(object: T, known: T | undefined): void {
		if (known !== undefined && known.metadata.uid !== object.metadata.uid)
			this.#tell(undefined, this.#objects.delete(objectKey(known)));
		const kept = this.#trimmed(object);
		this.#tell(kept, this.#objects.set(kept));
	}

	/** Updates of an object without managedFields do not change them. */
	#trimmed(object: T): T {
		if (this.#options.withoutManagedFields !== true || object.metadata.managedFields === undefined) return object;
		const { managedFields: _, ...metadata } = object.metadata;
		return deepFreeze(Object.assign({}, object, { metadata }));
	}

	#tell(current: T | undefined, old: T | undefined): void {
		for (const listener of this.#listeners) listener(current, old);
	}

	#advance(revision: number): void {
		this.#revision = revision;
		this.#waiters.release(revision);
	}

	/** Aborts the attempt in progress and begins the next. */
	#restart(): AbortController {
		this.#attempt.abort(aborted);
		this.#retry?.cancel();
		this.#retry = undefined;
		this.#attempt = new AbortController();
		return this.#attempt;
	}

	#failed(error: unknown, what: string): void {
		if (this.#closed) return;
		this.#options.onError?.(error, `${what} ${this.kind.plural}`);
		this.#failures++;
		// A watch may have failed because of its revision; a list always works.
		this.#again(() => (what === "watch" && this.#failures < 3 ? this.#watch() : this.start()), this.#delayMs());
	}

	#delayMs(): number {
		const delayMs = Math.min(firstRetryMs * 2 ** Math.max(this.#failures - 1, 0), longestRetryMs);
		return delayMs * (0.5 + this.#options.clock.random());
	}

	#again(what: () => void, delayMs: number): void {
		if (this.#closed) return;
		this.#retry?.cancel();
		this.#retry = this.#options.clock.after(delayMs, () => {
			this.#retry = undefined;
			what();
		});
	}

	#beImpatient(): void {
		if (this.#patience !== undefined || this.#closed) return;
		this.#patience = this.#options.clock.after(patienceMs, () => {
			this.#patience = undefined;
			if (this.#waiters.size === 0) return;
			// Callers that wait do not interrupt a list or a retry in progress.
			if (!this.#listing && this.#retry === undefined) this.start();
			this.#beImpatient();
		});
	}
}
