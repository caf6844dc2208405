/** The value at a path through objects such as `.spec.replicas`. */
export function valueAt(object: object, path: string): unknown {
	let value: unknown = object;
	for (const part of path.split(".")) {
		if (part === "") continue;
		if (typeof value !== "object" || value === null) return undefined;
		// Checked to be an object just above.
		value = (value as Record<string, unknown>)[part];
	}
	return value;
}
