/**
 * An error of an evaluation, such as a missing key. Logical operators may absorb it. Not an `Error`: rules fail by
 * design, in loops, and collecting a stack trace takes longer than the rest of most rules.
 */
export class Failure {
	readonly message: string;
	constructor(message: string) {
		this.message = message;
	}
}

/** The end of an evaluation that nothing absorbs: it costs more than it may. */
export class Cancellation {
	readonly message: string;
	constructor(message: string) {
		this.message = message;
	}
}

/** @throws Failure always */
export function fail(message: string): never {
	throw new Failure(message);
}

/** @throws Failure for arguments that no overload of an operator takes */
export function noSuchOverload(): never {
	throw new Failure("no such overload");
}
