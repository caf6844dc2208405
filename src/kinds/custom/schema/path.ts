/** Names of fields and positions in lists on the way to a value. */
export type Path = (string | number)[];

/** `spec.ports[0].name`, `spec.limits[cpu]` with a part `[cpu]`; empty for the whole. */
export function pathText(path: readonly (string | number)[]): string {
	let text = "";
	for (const part of path) {
		if (typeof part === "number") text += `[${part}]`;
		else text += text === "" || part.startsWith("[") ? part : `.${part}`;
	}
	return text;
}
