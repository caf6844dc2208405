/**
 * Names of properties in expressions (API reference, "Validation rules"): those that are no identifier, or a word of
 * the language, are escaped. `x-kubernetes` is `x__dash__kubernetes`, `namespace` is `__namespace__`.
 */

const identifier = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const words: ReadonlySet<string> = new Set([
	"true",
	"false",
	"null",
	"in",
	"as",
	"break",
	"const",
	"continue",
	"else",
	"for",
	"function",
	"if",
	"import",
	"let",
	"loop",
	"package",
	"namespace",
	"return",
	"var",
	"void",
	"while",
]);

const signs: Readonly<Record<string, string>> = { __: "underscores", ".": "dot", "-": "dash", "/": "slash" };
const signsByName = new Map(Object.entries(signs).map(([sign, name]) => [name, sign]));

/** The name in expressions of a property; undefined when it cannot be named. */
export function escapeName(property: string): string | undefined {
	if (words.has(property)) return `__${property}__`;
	if (!/^[a-zA-Z_./-]/.test(property)) return undefined;
	const escaped = property.replace(/__|[./-]/g, (sign) => `__${signs[sign]}__`);
	return identifier.test(escaped) ? escaped : undefined;
}

/** The property that a name in expressions means; undefined if the name contains an invalid escape. */
export function unescapeName(name: string): string | undefined {
	const word = /^__([^_]+)__$/.exec(name)?.[1];
	if (word !== undefined && words.has(word)) return word;
	let valid = true;
	const property = name.replace(/__([^_]+)__/g, (_, sign: string) => {
		const character = signsByName.get(sign);
		if (character === undefined) valid = false;
		return character ?? "";
	});
	return valid ? property : undefined;
}
