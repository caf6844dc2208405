/** @throws Error that says what does not exist */
export function found<T>(value: T | undefined, what: string): T {
	if (value === undefined) throw new Error(`${what} does not exist`);
	return value;
}
