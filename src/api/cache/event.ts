/** A change of one object for watchers; its parts are created once, when the first watcher needs them. */
import type { ServedWatchEvent, WatchEventType } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Cached, Encoded } from "./cached.ts";

/** A watch event whose JSON and line of a watch stream are shared by all watchers. */
export class SharedEvent implements ServedWatchEvent {
	readonly type: WatchEventType;
	readonly #encoded: Encoded;
	readonly revision: number;
	#line: Buffer | undefined;

	constructor(type: WatchEventType, encoded: Encoded, revision: number) {
		this.type = type;
		this.#encoded = encoded;
		this.revision = revision;
	}

	get object(): KubeObject {
		return this.#encoded.object;
	}

	get bytes(): Uint8Array {
		return this.#encoded.bytes;
	}

	/** The event as a line of a watch stream. */
	get line(): Buffer {
		this.#line ??= eventLine(this.type, this.#encoded.bytes);
		return this.#line;
	}
}

/** One line of a watch stream: `{"type":…,"object":…}`. */
export function eventLine(type: WatchEventType, object: Uint8Array): Buffer {
	return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, Buffer.from("}\n")]);
}

/** The approximate memory of an event, its key, and a superseded object without its JSON. */
const eventBytes = 512;

/** The change of one key at one revision, and its view for watchers with different selectors. */
export class CacheEvent<T extends KubeObject = KubeObject> {
	readonly revision: number;
	/** Undefined for a deletion. */
	readonly current: Cached<T> | undefined;
	/** Undefined for a creation. */
	readonly previous: Cached<T> | undefined;
	#added: SharedEvent | undefined;
	#modified: SharedEvent | undefined;
	#deleted: SharedEvent | undefined;

	constructor(revision: number, current: Cached<T> | undefined, previous: Cached<T> | undefined) {
		this.revision = revision;
		this.current = current;
		this.previous = previous;
	}

	/**
	 * The memory of this event in the history: the superseded object and its entries, without the current object.
	 */
	get bytes(): number {
		return eventBytes + (this.previous?.value.length ?? 0);
	}

	/** The size of all objects that the event keeps parsed and encoded until `cool`. */
	get warmBytes(): number {
		return this.bytes + (this.current?.value.length ?? 0);
	}

	/** Keeps only the stored JSON of the superseded object; everything else is created again on demand. */
	cool(): void {
		this.#added = undefined;
		this.#modified = undefined;
		this.#deleted = undefined;
		this.previous?.compact();
	}

	get key(): string {
		return (this.current ?? this.previous)?.key ?? "";
	}

	/**
	 * The event for a watcher whose selector is `matches`; undefined if it does not concern that watcher.
	 * An object that leaves a selector is DELETED for its watcher, with its last matching state, as upstream has it.
	 */
	seenBy(matches: (object: KubeObject) => boolean): SharedEvent | undefined {
		const { current, previous, revision } = this;
		const isIn = current !== undefined && matches(current.object);
		const wasIn = previous !== undefined && matches(previous.object);
		if (isIn && wasIn) {
			this.#modified ??= new SharedEvent("MODIFIED", current, revision);
			return this.#modified;
		}
		if (isIn) {
			this.#added ??= new SharedEvent("ADDED", current, revision);
			return this.#added;
		}
		if (!wasIn) return undefined;
		this.#deleted ??= new SharedEvent("DELETED", previous.withRevision(revision), revision);
		return this.#deleted;
	}
}
