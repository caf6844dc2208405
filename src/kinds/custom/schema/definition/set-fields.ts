/** Whether a keyword says something: an empty list or map, null and false are what is there without it. */
export function isSet(value: unknown): boolean {
	if (value === undefined || value === null || value === "" || value === false) return false;
	if (Array.isArray(value)) return value.length > 0;
	return true;
}
