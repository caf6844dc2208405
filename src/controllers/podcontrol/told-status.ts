/**
 * A status as in the API: without empty lists and zero counts, except those that are always present. Only optional
 * fields are dropped.
 */
export function toldStatus<T extends object>(status: T, alwaysTold: ReadonlySet<string>): T {
	const kept = Object.entries(status).filter(
		([name, value]) =>
			value !== undefined && (value !== 0 || alwaysTold.has(name)) && !(Array.isArray(value) && value.length === 0),
	);
	return Object.fromEntries(kept) as T;
}
