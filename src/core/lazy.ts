/** A value that is computed when it is first needed, and then kept; so is the error of a computation that failed. */
export function lazy<T>(compute: () => T): () => T {
	let outcome: { value: T } | { error: unknown } | undefined;
	return () => {
		if (outcome === undefined)
			try {
				outcome = { value: compute() };
			} catch (error) {
				outcome = { error };
			}
		if ("error" in outcome) throw outcome.error;
		return outcome.value;
	};
}
