/** Limits the work for the claims of one pod on all nodes: the scheduler does nothing else in the meantime. */

/** Ends an allocation: something is wrong with a claim or a class. The message is for people. */
export class AllocationError extends Error {}

/** How many devices a search tries on one node before it gives up; upstream gives up after a time. */
const mostAttemptsOnNode = 100_000;
/** On all nodes. */
const mostAttempts = 1_000_000;
/** Of all selectors, in units of CEL: a usual one costs less than a hundred for each device. */
const mostCost = 20_000_000;

export class Effort {
	#onNode = 0;
	#attempts = 0;
	#cost = 0;

	/** Another node is searched. */
	begin(): void {
		this.#onNode = 0;
	}

	/** A device is tried. @throws AllocationError */
	attempted(): void {
		if (++this.#attempts > mostAttempts || ++this.#onNode > mostAttemptsOnNode) throw tooMuch();
	}

	/** A selector was evaluated. @throws AllocationError */
	evaluated(cost: number): void {
		this.#cost += cost;
		if (this.#cost > mostCost) throw tooMuch();
	}
}

function tooMuch(): AllocationError {
	return new AllocationError("timed out trying to allocate devices");
}
