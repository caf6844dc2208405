/** Finds duplicate fields in a JSON text, which JSON.parse accepts silently. */

interface Frame {
	/** Names seen so far; undefined in a list. */
	names: Set<string> | undefined;
	/** Path of the object or list. */
	path: string;
	/** Name or position of the value that is being read. */
	at: string | number;
}

/** The maximum number of reported fields, as upstream. */
const mostFields = 100;

/**
 * @param text well-formed JSON
 * @param value what it means, in which each name is once
 * @returns paths such as `spec.containers[0].image`, each once, in the order of the text
 */
export function duplicateFields(text: string, value: unknown): string[] {
	// Nearly always there are none, and counting costs a fifth of finding.
	return nameCount(text) === fieldCount(value) ? [] : findDuplicates(text);
}

function nameCount(text: string): number {
	let count = 0;
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code === 0x22) index = endOfString(text, index);
		else if (code === 0x3a) count++;
	}
	return count;
}

function fieldCount(value: unknown): number {
	if (typeof value !== "object" || value === null) return 0;
	let count = 0;
	if (Array.isArray(value)) {
		for (const item of value) count += fieldCount(item);
		return count;
	}
	// The key was just enumerated.
	for (const key in value) count += 1 + fieldCount((value as Record<string, unknown>)[key]);
	return count;
}

function findDuplicates(text: string): string[] {
	const found = new Set<string>();
	const frames: Frame[] = [];
	let expectsName = false;
	for (let index = 0; index < text.length; index++) {
		const frame = frames.at(-1);
		switch (text.charCodeAt(index)) {
			case 0x22: {
				const end = endOfString(text, index);
				if (expectsName && frame?.names !== undefined) {
					const plain = text.slice(index + 1, end);
					// The slice is a JSON string.
					const name = plain.includes("\\") ? (JSON.parse(text.slice(index, end + 1)) as string) : plain;
					frame.at = name;
					if (frame.names.has(name) && found.size < mostFields) found.add(pathOf(frame));
					frame.names.add(name);
					expectsName = false;
				}
				index = end;
				break;
			}
			case 0x7b: // {
				frames.push({ names: new Set(), path: frame === undefined ? "" : pathOf(frame), at: "" });
				expectsName = true;
				break;
			case 0x5b: // [
				frames.push({ names: undefined, path: frame === undefined ? "" : pathOf(frame), at: 0 });
				expectsName = false;
				break;
			case 0x7d: // }
			case 0x5d: // ]
				frames.pop();
				expectsName = false;
				break;
			case 0x2c: // ,
				expectsName = frame?.names !== undefined;
				if (typeof frame?.at === "number") frame.at++;
				break;
		}
	}
	return [...found];
}

function endOfString(text: string, start: number): number {
	for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
		let backslashes = 0;
		while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
		if (backslashes % 2 === 0) return end;
	}
	return text.length;
}

function pathOf({ path, at }: Frame): string {
	if (typeof at === "number") return `${path}[${at}]`;
	return path === "" ? at : `${path}.${at}`;
}
