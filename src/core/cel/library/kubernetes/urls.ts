import { boolType, listType, mapType, objectType, stringType } from "../../types/type.ts";
import { fail } from "../../values/failure.ts";
import { quoted } from "../../values/text.ts";
import { LibraryValue } from "../../values/value.ts";
import { fixedCost, transformsFirst } from "../costs.ts";
import { type FunctionDeclaration, global, member } from "../function.ts";
import { escapedPath, hostnameOf, type ParsedUrl, parseUrl, portOf, queryOf } from "./url-syntax.ts";

/** Kubernetes' functions of URLs. */

export const urlType = objectType("kubernetes.URL", { field: () => undefined });

class Url extends LibraryValue {
	readonly typeName = "kubernetes.URL";
	readonly parts: ParsedUrl;
	constructor(parts: ParsedUrl) {
		super();
		this.parts = parts;
	}
	equals(other: unknown): boolean {
		return other instanceof Url && other.toString() === this.toString();
	}
	toString(): string {
		const { scheme, opaque, user, host, path, query, fragment } = this.parts;
		const authority = host === "" && user === undefined ? "" : `//${user === undefined ? "" : `${user}@`}${host}`;
		const start = `${scheme === "" ? "" : `${scheme}:`}${opaque}${authority}${escapedPath(path)}`;
		return `${start}${query === undefined ? "" : `?${query}`}${fragment === undefined ? "" : `#${fragment}`}`;
	}
}

/** @throws Failure when the text is no absolute URL */
function urlOf(text: string): Url {
	const parts = parseUrl(text);
	if (typeof parts === "string")
		return fail(`URL parse error during conversion from string: parse ${quoted(text)}: ${parts}`);
	return new Url(parts);
}

const accessor = fixedCost(1);

function part(name: string, id: string, run: (parts: ParsedUrl) => string): FunctionDeclaration {
	return { name, ...accessor, overloads: [member(id, [urlType], stringType, ({ parts }: Url) => run(parts))] };
}

export const urls: readonly FunctionDeclaration[] = [
	{ name: "url", ...transformsFirst(), overloads: [global("string_to_url", [stringType], urlType, urlOf)] },
	{
		name: "isURL",
		overloads: [global("is_url_string", [stringType], boolType, (text: string) => typeof parseUrl(text) !== "string")],
	},
	part("getScheme", "url_get_scheme", ({ scheme }) => scheme),
	part("getHost", "url_get_host", ({ host }) => host),
	part("getHostname", "url_get_hostname", ({ host }) => hostnameOf(host)),
	part("getPort", "url_get_port", ({ host }) => portOf(host)),
	part("getEscapedPath", "url_get_escaped_path", ({ path }) => escapedPath(path)),
	{
		name: "getQuery",
		...accessor,
		overloads: [
			member("url_get_query", [urlType], mapType(stringType, listType(stringType)), ({ parts }: Url) =>
				queryOf(parts.query ?? ""),
			),
		],
	},
];
