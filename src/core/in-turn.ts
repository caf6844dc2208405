/** Runs tasks one at a time, in the order in which they are given; one that fails holds up none that come after it. */
export function inTurn(): <T>(task: () => Promise<T>) => Promise<T> {
	let last: Promise<unknown> = Promise.resolve();
	return (task) => {
		const result = last.then(task);
		last = result.catch(() => {});
		return result;
	};
}
