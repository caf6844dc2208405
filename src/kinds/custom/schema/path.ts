/** Names of fields and positions in lists on the way to a value. */
export type Path = (string | number)[];

/** `spec.ports[0].name`; empty for the whole. */
export function pathText(path: readonly (string | number)[]): string {
	let text = "";
	for (const part of path) text += typeof part === "number" ? `[${part}]` : text === "" ? part : `.${part}`;
	return text;
}
