/** Texts that clients print (RFC 7234, "Warning"; KEP-1693). */

/** The limit for all warnings of a response, in characters, as upstream. Clients refuse much longer heads. */
const longestTogether = 4096;
/** The limit for one warning if all together are too long, as upstream. */
const longestOfMany = 256;

/**
 * The value of the header. Each text comes once; when there are too many, the first are shortened and the last left
 * out.
 */
export function warningHeader(warnings: readonly string[]): string {
	const texts = [...new Set(warnings)];
	let length = 0;
	for (const text of texts) length += text.length;
	return (length <= longestTogether ? texts : fitting(texts)).map(quoted).join(", ");
}

function fitting(texts: readonly string[]): string[] {
	const kept: string[] = [];
	let left = longestTogether;
	for (const text of texts) {
		const short = text.slice(0, longestOfMany);
		if (short.length > left) break;
		left -= short.length;
		kept.push(short);
	}
	return kept;
}

/** Headers carry neither line ends nor characters beyond Latin-1. */
function quoted(text: string): string {
	const line = text
		.replace(/[\\"]/g, "\\$&")
		.replace(/\s+/g, " ")
		.replace(/[^\x20-\x7e\xa0-\xff]/g, "?");
	return `299 - "${line}"`;
}
