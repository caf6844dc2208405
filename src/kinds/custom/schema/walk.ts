/** What a walk over a value has found so far. */
import type { Cause } from "../../../core/errors.ts";
import { breaksWhole, type Place } from "./causes.ts";
import { type Path, pathText } from "./path.ts";

/** Values times the schemas that look at them. Real definitions need a few times the values of an object. */
const mostSteps = 4_000_000;
/** One mistake can be in each of a hundred thousand values. */
const mostCauses = 1_000;

export class Walk {
	readonly causes: Cause[] = [];
	/** Includes those that are not reported. */
	failureCount = 0;
	/** Whether only the number of failures counts, as in a schema that may not hold. */
	isSilent = false;
	/** How much of a schema holds, as upstream counts it: if several do not hold, the nearest one is reported. */
	matchCount = 0;
	readonly path: Path = [];
	readonly #base: string;
	#stepCount = 0;

	/** @param base field that the walk begins with, such as `status`; empty for a whole object */
	constructor(base = "") {
		this.#base = base;
	}

	/** Made when something is wrong: paths cost more than checks. */
	get place(): Place {
		return { base: this.#base, name: pathText(this.path) };
	}

	fail(cause: (place: Place) => Cause): void {
		this.failureCount++;
		if (!this.isSilent && this.causes.length < mostCauses) this.causes.push(cause(this.place));
	}

	/** @returns false when the schema asks too much of the value: nothing more is looked at */
	step(): boolean {
		return this.#stepCount++ < mostSteps;
	}

	/** Everything that was found, each once: several schemas of one value may find the same. */
	findings(): Cause[] {
		if (this.#stepCount > mostSteps)
			return [breaksWhole(this.place, "the schema is too complex to validate an object of this size")];
		if (this.causes.length < 2) return this.causes;
		const seen = new Set<string>();
		return this.causes.filter(({ field, message }) => {
			const text = `${field} ${message}`;
			return !seen.has(text) && seen.add(text);
		});
	}

	/** Forgets what was found since: it was wrong before already. */
	forgive(failureCount: number, causeCount: number): void {
		this.failureCount = failureCount;
		this.causes.length = causeCount;
	}
}
