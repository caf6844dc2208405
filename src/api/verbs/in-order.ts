/** Sends the events of a watch in their order. Objects are converted first, in as few conversions as possible. */
import { ApiError, asError } from "../../core/errors.ts";
import type { ServedWatchEvent } from "../../core/exchange.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Cached } from "../cache/cached.ts";
import { CacheEvent, SharedEvent } from "../cache/event.ts";
import type { Selection } from "../resources/fields.ts";
import { servedForms } from "../resources/forms.ts";

interface Waiting {
	/** Objects as they are stored. */
	stored: readonly Cached[];
	/** @param forms of the objects, in the version of the watch */
	event(forms: readonly Cached[]): ServedWatchEvent | undefined;
}

/** A watch that is further behind ends, and its client starts another one. */
const mostWaiting = 10_000;

export class InOrder {
	readonly #kind: Kind;
	readonly #selection: Selection;
	readonly #send: (event: ServedWatchEvent) => void;
	readonly #fail: (error: Error) => void;
	#waiting: Waiting[] = [];
	#isConverting = false;
	#isOver = false;

	constructor(
		{ kind }: { kind: Kind },
		selection: Selection,
		{ send, fail }: { send: (event: ServedWatchEvent) => void; fail: (error: Error) => void },
	) {
		this.#kind = kind;
		this.#selection = selection;
		this.#send = send;
		this.#fail = fail;
	}

	/** What needs no conversion. */
	add(event: ServedWatchEvent): void {
		this.#put([{ stored: [], event: () => event }]);
	}

	/** What exists at the beginning. */
	addExisting(all: Iterable<Cached>): void {
		const chosen = this.#selection.onlyMetadata ? [...all].filter((cached) => this.#matches(cached)) : [...all];
		const added = (cached: Cached) => new SharedEvent("ADDED", cached, cached.revision);
		this.#put(
			chosen.map((cached) => ({
				stored: [cached],
				event: ([form = cached]) => (this.#matches(form) ? added(form) : undefined),
			})),
		);
	}

	addChange(change: CacheEvent): void {
		const { revision, current, previous } = change;
		const stored = [current, previous].filter((one) => one !== undefined);
		const event = (forms: readonly Cached[]) => {
			const isSame = forms.every((form, index) => form === stored[index]);
			const [first, second] = forms;
			const [now, before] = current === undefined ? [undefined, first] : [first, second];
			return (isSame ? change : new CacheEvent(revision, now, before)).seenBy((object) => this.#selects(object));
		};
		this.#put([{ stored, event }]);
	}

	#matches({ object }: Cached): boolean {
		return this.#selects(object);
	}

	#selects(object: Cached["object"]): boolean {
		return this.#selection.everything || this.#selection.matches(object);
	}

	#put(more: readonly Waiting[]): void {
		if (this.#isOver) return;
		for (const one of more) this.#waiting.push(one);
		if (!this.#isConverting) this.#sendWaiting();
		else if (this.#waiting.length > mostWaiting)
			this.#end(new ApiError("Expired", "the watch has fallen behind the conversion of its objects"));
	}

	#sendWaiting(): void {
		const batch = this.#waiting;
		if (batch.length === 0) return;
		this.#waiting = [];
		try {
			const forms = servedForms(
				this.#kind,
				batch.flatMap(({ stored }) => stored),
			);
			if (!(forms instanceof Promise)) {
				this.#sendBatch(batch, forms);
				return;
			}
			this.#isConverting = true;
			forms.then(
				(all) => {
					this.#isConverting = false;
					this.#sendBatch(batch, all);
					this.#sendWaiting();
				},
				(error: unknown) => this.#end(asError(error)),
			);
		} catch (error) {
			this.#end(asError(error));
		}
	}

	#sendBatch(batch: readonly Waiting[], forms: readonly Cached[]): void {
		let next = 0;
		for (const { stored, event } of batch) {
			if (this.#isOver) return;
			const made = event(forms.slice(next, next + stored.length));
			next += stored.length;
			if (made !== undefined) this.#send(made);
		}
	}

	#end(error: Error): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.#waiting = [];
		this.#fail(error);
	}
}
