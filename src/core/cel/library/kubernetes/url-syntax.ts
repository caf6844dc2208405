/**
 * Absolute URLs as Go's net/url reads them. Not those of JavaScript, which lowers hosts, drops usual ports and corrects
 * what Go refuses.
 */
export interface ParsedUrl {
	readonly scheme: string;
	/** Of URLs without `//` after the scheme: all that follows it. */
	readonly opaque: string;
	/** As it is written, without the user. */
	readonly user: string | undefined;
	readonly host: string;
	readonly path: string;
	/** Without the question mark; undefined when there is none. */
	readonly query: string | undefined;
	readonly fragment: string | undefined;
}

/** A URL, or what is wrong with it, in Go's words. */
export function parseUrl(text: string): ParsedUrl | string {
	if (text === "") return "empty url";
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
	if (/[\x00-\x1f\x7f]/.test(text)) return "net/url: invalid control character in URL";
	const hash = text.indexOf("#");
	const whole = hash < 0 ? text : text.slice(0, hash);
	const fragment = hash < 0 ? undefined : text.slice(hash + 1);
	const scheme = schemeOf(whole);
	if (scheme === undefined) return "missing protocol scheme";
	const afterScheme = scheme === "" ? whole : whole.slice(scheme.length + 1);
	const mark = afterScheme.indexOf("?");
	const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark);
	const query = mark < 0 ? undefined : afterScheme.slice(mark + 1);
	const parts = { scheme: scheme.toLowerCase(), user: undefined, host: "", path: "", query, fragment };
	if (!rest.startsWith("/")) {
		if (scheme === "") return rest === "*" ? { ...parts, opaque: "", path: "*" } : "invalid URI for request";
		return { ...parts, opaque: rest };
	}
	if (scheme === "" || !rest.startsWith("//")) return withPath({ ...parts, opaque: "", path: rest });
	const slash = rest.indexOf("/", 2);
	const authority = rest.slice(2, slash < 0 ? undefined : slash);
	const at = authority.lastIndexOf("@");
	const host = authority.slice(at + 1);
	const problem = hostProblem(host) ?? (at < 0 ? undefined : userProblem(authority.slice(0, at)));
	if (problem !== undefined) return problem;
	const user = at < 0 ? undefined : authority.slice(0, at);
	return withPath({ ...parts, opaque: "", user, host, path: slash < 0 ? "" : rest.slice(slash) });
}

/** Empty when there is none; undefined when the text begins with a colon. */
function schemeOf(text: string): string | undefined {
	if (text.startsWith(":")) return undefined;
	return /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1] ?? "";
}

function withPath(url: ParsedUrl): ParsedUrl | string {
	return escapeProblem(url.path) ?? url;
}

function escapeProblem(text: string): string | undefined {
	const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
	return wrong === null ? undefined : `invalid URL escape ${JSON.stringify(wrong[0])}`;
}

function userProblem(user: string): string | undefined {
	return /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) ? escapeProblem(user) : "net/url: invalid userinfo";
}

function hostProblem(host: string): string | undefined {
	let port = /:[^:]*$/.exec(host)?.[0] ?? "";
	if (host.startsWith("[")) {
		const end = host.lastIndexOf("]");
		if (end < 0) return "missing ']' in host";
		port = host.slice(end + 1);
	}
	if (port !== "" && !/^:\d*$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`;
	const invalid = /[\x20"<>\\^`{|}]/.exec(host);
	if (invalid !== null) return `invalid character ${JSON.stringify(invalid[0])} in host name`;
	const escaped = /%(?!25).{0,2}/s.exec(host)?.[0];
	// Only bytes beyond ASCII may be escaped in a host.
	if (escaped === undefined || /^%[89a-fA-F][0-9a-fA-F]$/.test(escaped)) return undefined;
	return `invalid URL escape ${JSON.stringify(escaped)}`;
}

/** The path, with escapes for what may not stand in one. */
export function escapedPath(path: string): string {
	if (/^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/%]*$/.test(path)) return path;
	// Once something must be escaped, everything is.
	const bytes = Buffer.from(unescaped(path), "latin1");
	return Array.from(bytes, (byte) => {
		const character = String.fromCharCode(byte);
		if (/[A-Za-z0-9\-_.~$&+,/:;=@]/.test(character)) return character;
		return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
	}).join("");
}

/** The bytes of a text with escapes, one for each character. */
function unescaped(text: string): string {
	return Buffer.from(text)
		.toString("latin1")
		.replace(/%([0-9a-fA-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** The host without its port and brackets. */
export function hostnameOf(host: string): string {
	if (host.startsWith("[")) return host.slice(1, host.lastIndexOf("]"));
	return host.replace(/:\d*$/, "");
}

export function portOf(host: string): string {
	return /:(\d+)$/.exec(host.slice(host.lastIndexOf("]") + 1))?.[1] ?? "";
}

/** Parameters of a query, each with all its values. Those that are written wrongly are left out. */
export function queryOf(query: string): Record<string, string[]> {
	const parameters: Record<string, string[]> = Object.create(null);
	for (const pair of query.split("&")) {
		if (pair === "" || pair.includes(";")) continue;
		const equals = pair.indexOf("=");
		const [key, value] = equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
		if (escapeProblem(key) !== undefined || escapeProblem(value) !== undefined) continue;
		const name = decoded(key);
		parameters[name] ??= [];
		parameters[name].push(decoded(value));
	}
	return parameters;
}

function decoded(text: string): string {
	return Buffer.from(unescaped(text.replaceAll("+", " ")), "latin1").toString();
}
