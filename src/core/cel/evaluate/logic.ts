import type { Logic } from "../parse/syntax.ts";
import { Failure, noSuchOverload } from "../values/failure.ts";
import type { Builder } from "./builder.ts";
import type { Evaluate, Frame } from "./frame.ts";

/**
 * `&&` and `||`. The value that decides the result decides it whatever fails beside it: `x.y || true` is true where `x`
 * has no `y`.
 */
export function buildLogic(builder: Builder, node: Logic): Evaluate {
	const terms = node.terms.map((term) => builder.build(term));
	const decides = node.name === "_||_";
	const [first, second] = terms;
	if (terms.length > 2 || first === undefined || second === undefined) return chain(terms, decides);
	return (frame) => {
		let failure: Failure | undefined;
		try {
			const value = first(frame);
			if (value === decides) return decides;
			if (value !== !decides) noSuchOverload();
		} catch (error) {
			failure = absorbed(frame, error);
		}
		let value: unknown;
		try {
			value = second(frame);
		} catch (error) {
			// Of two failures the first counts.
			const later = absorbed(frame, error);
			throw failure ?? later;
		}
		if (value === decides) return decides;
		if (failure !== undefined) throw failure;
		return value === !decides ? value : noSuchOverload();
	};
}

function chain(terms: readonly Evaluate[], decides: boolean): Evaluate {
	return (frame: Frame) => {
		let failure: Failure | undefined;
		for (const term of terms) {
			try {
				const value = term(frame);
				if (value === decides) return decides;
				if (value !== !decides) noSuchOverload();
			} catch (error) {
				const later = absorbed(frame, error);
				failure ??= later;
			}
		}
		if (failure !== undefined) throw failure;
		return !decides;
	};
}

/** The failure that a part ended with, which does not end the whole. @throws whatever else it is */
export function absorbed(frame: Frame, error: unknown): Failure {
	if (!(error instanceof Failure)) throw error;
	// Upstream also counts the calls that a failure passes through; most often it is one.
	frame.cost++;
	return error;
}
