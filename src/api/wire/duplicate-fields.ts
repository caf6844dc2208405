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
 * @returns paths such as `spec.containers[0].image`, each once, in the order of the text
 */
export function duplicateFields(text: string): string[] {
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
	let index = start + 1;
	while (index < text.length && text.charCodeAt(index) !== 0x22) index += text.charCodeAt(index) === 0x5c ? 2 : 1;
	return index;
}

function pathOf({ path, at }: Frame): string {
	if (typeof at === "number") return `${path}[${at}]`;
	return path === "" ? at : `${path}.${at}`;
}
