/** Takes out of a text what nobody else may read. Pure. */

const removed = "[removed]";

/** What secrets look like, and what is left of them. */
const patterns: readonly [RegExp, string][] = [
	[/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, removed],
	// The beginning may be cut off.
	[/(?:^[A-Za-z0-9+/=]+\r?\n)*-----END [A-Z0-9 ]+-----/gm, removed],
	[/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, removed],
	[/\b(Bearer|Basic|Negotiate)\s+[\w.~+/=-]+/gi, `$1 ${removed}`],
	[
		/((?:authorization|token|passw(?:or)?d|passphrase|secret|api[-_]?key|credentials?|cookie|session|login)[\w-]*["']?\s*[:=]\s*["']?)(?!\[removed\]|Bearer|Basic|Negotiate)[^\s"',;&}]+/gi,
		`$1${removed}`,
	],
	[/(:\/\/)[^\s/@]+@/g, `$1${removed}@`],
	// Keys in base64 or hexadecimal; digests of images say nothing.
	[/(?<!sha256:|[A-Za-z0-9+_])[A-Za-z0-9+_]{40,}={0,2}/g, removed],
];

/** Shorter ones would take out other words. */
const leastSecret = 8;

/**
 * @param secrets known ones, which are taken out wherever they are
 * @param home the user's home directory, whose path may tell the user's name
 */
export function withoutSecrets(text: string, secrets: readonly string[], home?: string): string {
	let result = text;
	for (const secret of secrets) if (secret.length >= leastSecret) result = result.replaceAll(secret, removed);
	for (const [pattern, rest] of patterns) result = result.replace(pattern, rest);
	return home === undefined || home === "/" ? result : result.replaceAll(home, "~");
}
