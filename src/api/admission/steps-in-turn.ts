/**
 * Runs steps one after the other: each sees the changes of earlier ones. Waits only for those that return a promise.
 * @returns undefined if no step had to wait
 * @throws the error of the first step that fails, synchronously or in the promise
 */
export function stepsInTurn<T>(
	steps: readonly ((subject: T) => Promise<void> | undefined)[],
	subject: T,
	from = 0,
): Promise<void> | undefined {
	for (let index = from; index < steps.length; index++) {
		const pending = steps[index]?.(subject);
		if (pending !== undefined) return pending.then(() => stepsInTurn(steps, subject, index + 1));
	}
	return undefined;
}
