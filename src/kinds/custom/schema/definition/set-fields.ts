/** Whether a keyword has an effect: an empty list or map, null and false equal its absence. */
export function isSet(value: unknown): boolean {
	if (value === undefined || value === null || value === "" || value === false) return false;
	if (Array.isArray(value)) return value.length > 0;
	return true;
}
