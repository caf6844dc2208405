/** Absolute URIs and absolute paths, as Go's url.ParseRequestURI accepts them. */

const authority = /^(?:[a-zA-Z0-9\-._:~!$&'()*+,;=%@]*@)?(\[[^\]]*\]|[^:@]*)(?::\d*)?$/;
/** The characters that a host may contain, besides letters beyond ASCII. */
const host = /^(?:[a-zA-Z0-9\-_.~!$&'()*+,;=:[\]<>"\u0080-\uffff]|%25|%[89a-fA-F][0-9a-fA-F])*$/;

export function isRequestUri(text: string): boolean {
	// Control characters are what is looked for.
	// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
	if (text === "" || /[\u0000-\u001f\u007f]/.test(text)) return false;
	if (text === "*") return true;
	if (text.startsWith(":")) return false;
	const scheme = /^[a-zA-Z][a-zA-Z0-9+\-.]*:/.exec(text)?.[0] ?? "";
	const [rest = ""] = text.slice(scheme.length).split("?", 1);
	if (!rest.startsWith("/")) return scheme !== "";
	if (scheme === "" || !rest.startsWith("//")) return isUnescaped(rest);
	const slash = rest.indexOf("/", 2);
	const end = slash < 0 ? rest.length : slash;
	const name = authority.exec(rest.slice(2, end))?.[1];
	return name !== undefined && host.test(name) && isUnescaped(rest.slice(end));
}

function isUnescaped(path: string): boolean {
	return !/%(?![0-9a-fA-F]{2})/.test(path);
}
