/** Differences as they are recorded, one after the other, and the sets of fields that they amount to. */
import { asMember, emptySet, type FieldSet, isEmpty, itemsNode, type OpenSet } from "./field-set.ts";

export interface Differences {
	/** What was added or has another value. */
	changed: FieldSet;
	removed: FieldSet;
}

/**
 * Takes differences one after the other, as `differencesOf` reads them: `mark.changed` or `mark.removed`, an edge, all
 * that is below it, and `mark.end`; or `mark.below`, an edge, the differences below it, and `mark.end`.
 */
export interface Recorder {
	/** A mark, or the name of a field. */
	put(token: Token): void;
	/** The edge of a list's item. */
	putItem(edge: string): void;
}

export type Token = string | number;

export const mark = {
	end: 0,
	changed: 1,
	removed: 2,
	below: 3,
	/** The edge of a list's item follows. */
	item: 4,
	/** An edge by its number in a list: this mark plus the number. */
	numbered: 5,
} as const;

/** Differences as they come. */
export class TokenList implements Recorder {
	readonly tokens: Token[] = [];

	put(token: Token): void {
		this.tokens.push(token);
	}

	putItem(edge: string): void {
		this.tokens.push(mark.item, edge);
	}
}

/** @param edges of the numbered ones */
export function differencesOf(tokens: readonly Token[], edges: readonly string[] = []): Differences {
	return new Reader(tokens, edges).differences();
}

interface Collected {
	changed: OpenSet;
	removed: OpenSet;
}

class Reader {
	readonly #tokens: readonly Token[];
	readonly #edges: readonly string[];
	#at = 0;

	constructor(tokens: readonly Token[], edges: readonly string[]) {
		this.#tokens = tokens;
		this.#edges = edges;
	}

	differences(): Collected {
		let found: Collected | undefined;
		for (let what = this.#next(); what !== undefined && what !== mark.end; what = this.#next()) {
			found ??= { changed: this.#node(), removed: this.#node() };
			const edge = this.#edge();
			if (what === mark.below) {
				const { changed, removed } = this.differences();
				if (!isEmpty(changed)) found.changed[edge] = changed;
				if (!isEmpty(removed)) found.removed[edge] = removed;
			} else found[what === mark.changed ? "changed" : "removed"][edge] = this.#everything();
		}
		return found ?? { changed: {}, removed: {} };
	}

	#next(): Token | undefined {
		return this.#tokens[this.#at++];
	}

	/** For edges such as the one that comes next. */
	#node(): OpenSet {
		return typeof this.#tokens[this.#at] === "string" ? {} : itemsNode();
	}

	#edge(): string {
		const token = this.#next();
		if (typeof token === "string") return `f:${token}`;
		if (token === mark.item) return String(this.#next());
		return this.#edges[Number(token) - mark.numbered] ?? "";
	}

	#everything(): FieldSet {
		if (this.#tokens[this.#at] === mark.end) {
			this.#at++;
			return emptySet;
		}
		const set = this.#node();
		while (this.#tokens[this.#at] !== mark.end) {
			const edge = this.#edge();
			set[edge] = this.#everything();
		}
		this.#at++;
		return asMember(set);
	}
}
