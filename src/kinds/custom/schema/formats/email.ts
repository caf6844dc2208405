/** Addresses of mail (RFC 5322), as Go's net/mail reads one: `ada@example.com`, `"Ada L." <ada@example.com>`. */

const atom = "[a-zA-Z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\uffff]+";
const dotted = `${atom}(?:\\.${atom})*`;
const quoted = '"(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*"';
const literal = "\\[[\\x21-\\x5a\\x5e-\\x7e]*\\]";
const address = new RegExp(`^(?:${dotted}|${quoted})@(?:${dotted}|${literal})$`);
/** Dots are allowed, though they should not be. */
const word = new RegExp(`^(?:[a-zA-Z0-9!#$%&'*+\\-/=?^_\`{|}~.\\u0080-\\uffff]+|${quoted})[ \\t]*`);

const longest = 4096;

export function isEmail(text: string): boolean {
	if (text.length > longest) return false;
	const trimmed = withoutComment(text.trim());
	if (address.test(trimmed)) return true;
	if (!trimmed.endsWith(">")) return false;
	const open = trimmed.lastIndexOf("<");
	return open >= 0 && address.test(trimmed.slice(open + 1, -1).trim()) && isPhrase(trimmed.slice(0, open).trim());
}

/** The display name of the recipient: words, or nothing. */
function isPhrase(text: string): boolean {
	let rest = text;
	while (rest !== "") {
		const found = word.exec(rest)?.[0];
		if (found === undefined) return false;
		rest = rest.slice(found.length);
	}
	return true;
}

/** A comment in parentheses after the address has no effect. */
function withoutComment(text: string): string {
	if (!text.endsWith(")")) return text;
	const open = text.lastIndexOf("(");
	return open < 0 ? text : text.slice(0, open).trim();
}
