import { costLimitExceeded } from "../values/work.ts";

/** One evaluation: its variables, and what it has cost so far. */
export interface Frame {
	/** Variables of the environment by name. May be computed when they are read. */
	readonly variables: Readonly<Record<string, unknown>>;
	/** Variables of loops, one slot each. */
	readonly locals: unknown[];
	cost: number;
	readonly limit: number;
}

/** A part of an expression, ready to run. @throws Failure, Cancellation */
export type Evaluate = (frame: Frame) => unknown;

/** Counts cost. @throws Cancellation beyond the limit */
export function charge(frame: Frame, cost: number): void {
	frame.cost += cost;
	if (frame.cost > frame.limit) throw costLimitExceeded();
}
