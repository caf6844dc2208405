/**
 * What writes change, as paths through a tree of all changes seen so far: what was learnt of a change is found again
 * where its path ends, without an object being made on the way.
 */
import { mark, type Recorder, type Token } from "./recorded.ts";

/** @template T what is learnt */
export class Step<T> {
	learnt: T | undefined;
	readonly #token: Token;
	readonly #previous: Step<T> | undefined;
	/** Most steps have one next step. */
	#next: Step<T> | undefined;
	#others: Map<Token, Step<T>> | undefined;

	constructor(token: Token = mark.end, previous?: Step<T>) {
		this.#token = token;
		this.#previous = previous;
	}

	next(token: Token): Step<T> {
		const next = this.#next;
		if (next !== undefined && next.#token === token) return next;
		return this.#others?.get(token) ?? this.#grown(token);
	}

	#grown(token: Token): Step<T> {
		const step = new Step(token, this);
		stepCount++;
		if (this.#next === undefined) this.#next = step;
		else {
			this.#others ??= new Map();
			this.#others.set(token, step);
		}
		return step;
	}

	/** From the step after `start` to this one. */
	since(start: Step<T>): Token[] {
		const tokens: Token[] = [];
		// Every step of a path but its first one has a previous one.
		for (let step: Step<T> | undefined = this; step !== undefined && step !== start; step = step.#previous)
			tokens.push(step.#token);
		return tokens.reverse();
	}
}

let stepCount = 0;

/** How many steps were ever made. */
export function stepsMade(): number {
	return stepCount;
}

/** More of them in one object are rare, and then not worth looking for. */
const mostKeys = 16;
/** Of a uid, an address or a network. */
const particularValue = /^v:"[\da-f./:-]+"$/;

/**
 * Edges of items that each object has for itself, such as its address or the uid of its owner. Two changes that differ
 * only in them are one, with other keys.
 */
export function isParticular(edge: string, keys: readonly string[]): boolean {
	if (keys.length >= mostKeys) return false;
	return edge.startsWith('k:{"ip":"') || edge.startsWith('k:{"uid":"') || particularValue.test(edge);
}

/** Follows a change from step to step. */
export class Trail<T> implements Recorder {
	step: Step<T>;
	/** Those that were known, and the new ones. */
	keys: readonly string[];

	constructor(start: Step<T>, keys: readonly string[]) {
		this.step = start;
		this.keys = keys;
	}

	put(token: Token): void {
		this.step = this.step.next(token);
	}

	putItem(edge: string): void {
		let number = this.keys.indexOf(edge);
		if (number < 0) {
			if (!isParticular(edge, this.keys)) {
				this.put(mark.item);
				this.put(edge);
				return;
			}
			number = this.keys.length;
			this.keys = [...this.keys, edge];
		}
		this.put(mark.numbered + number);
	}
}
