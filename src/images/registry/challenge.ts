/** Challenges of registries (RFC 9110, section 11.6.1). Pure. */

export interface Challenge {
	/** `basic`, `bearer`, … in small letters. */
	scheme: string;
	parameters: ReadonlyMap<string, string>;
}

/** The challenges of a WWW-Authenticate header, in order; what cannot be read is left out. */
export function parseChallenges(header: string): Challenge[] {
	const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
	const token = /\s*,?\s*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?/y;
	for (let match = token.exec(header); match !== null; match = token.exec(header)) {
		const [, name = "", value] = match;
		const current = challenges.at(-1);
		if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
		else if (current !== undefined) current.parameters.set(name.toLowerCase(), unquoted(value));
	}
	return challenges;
}

function unquoted(value: string): string {
	return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}
