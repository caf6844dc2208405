/**
 * Links of a proxied page: those that begin with a slash would lead out of the proxy, so they get the proxy's path in
 * front (API concepts, "proxy subresource").
 */
import type { ApiResponse } from "../../core/exchange.ts";

export interface Place {
	/** Path of the proxy, up to and with `/proxy`. */
	prefix: string;
	/** What the backend, or the client, calls the backend's host: `10.0.0.1:8080`. */
	hosts: readonly string[];
}

/** The answer with Location and, where it is HTML, with links that lead through the proxy. */
export function withProxiedLinks(response: ApiResponse, place: Place): ApiResponse {
	if (response.type !== "stream") return response;
	const { headers, body } = response;
	const { location } = headers;
	if (location !== undefined && location !== "")
		return { ...response, headers: { ...headers, location: proxiedLink(location, place) } };
	const isHtml = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() === "text/html";
	// What is packed stays as it is: backends are not asked to pack.
	if (!isHtml || (headers["content-encoding"] ?? "identity") !== "identity") return response;
	const { "content-length": _, ...others } = headers;
	return { ...response, headers: others, body: withLinks(body, (link) => proxiedLink(link, place)) };
}

/** The link as it must be below the proxy; relative links and those to other hosts stay. */
export function proxiedLink(link: string, { prefix, hosts }: Place): string {
	const [, host, path] = /^(?:(?:https?:)?\/\/([^/?#]*))?(\/.*)$/is.exec(link) ?? [];
	if (path === undefined || (host !== undefined && !hosts.includes(host))) return link;
	return path === prefix || path.startsWith(`${prefix}/`) ? path : prefix + path;
}

/** Attributes of HTML that hold a URL → the elements that have them. */
const linkAttributes = new Map<string, readonly string[]>(
	Object.entries({
		href: ["a", "area", "base", "link"],
		src: ["audio", "embed", "frame", "iframe", "img", "input", "script", "source", "video"],
		action: ["form"],
		formaction: ["button", "input"],
		cite: ["blockquote", "del", "ins", "q"],
		data: ["object"],
		poster: ["video"],
		background: ["body"],
		codebase: ["applet", "object"],
		classid: ["object"],
		icon: ["command"],
		longdesc: ["frame", "iframe", "img"],
		manifest: ["html"],
		profile: ["head"],
		usemap: ["img", "input", "object"],
	}),
);

/** Elements whose content is text, whatever it looks like. */
const textElements = /^(?:iframe|noembed|noframes|noscript|plaintext|script|style|textarea|title|xmp)$/;

/** What is longer than this is passed on unread: it is no tag. */
const longestTagLength = 64 * 1024;

/** HTML in any encoding that has ASCII in it, piece by piece: bytes that are no link pass unchanged. */
export async function* withLinks(
	html: AsyncIterable<Uint8Array>,
	rewrite: (link: string) => string,
): AsyncGenerator<Uint8Array> {
	const scanner = new LinkScanner(rewrite);
	for await (const chunk of html) {
		const done = scanner.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1"));
		if (done !== "") yield Buffer.from(done, "latin1");
	}
	const rest = scanner.end();
	if (rest !== "") yield Buffer.from(rest, "latin1");
}

class LinkScanner {
	/** What may be the beginning of a tag. */
	#rest = "";
	/** A tag whose end has not come yet, in the pieces in which it came: none of them is looked at twice. */
	#openTag: { pieces: string[]; length: number; quote: string } | undefined;
	/** Where the text that is not to be looked into ends. */
	#until: RegExp | undefined;
	readonly #rewrite: (link: string) => string;

	constructor(rewrite: (link: string) => string) {
		this.#rewrite = rewrite;
	}

	/** @returns all that is certain now */
	push(text: string): string {
		const open = this.#openTag;
		if (open === undefined) return this.#scan(this.#rest + text);
		open.pieces.push(text);
		open.length += text.length;
		const { end, quote } = endOfTag(text, 0, open.quote);
		open.quote = quote;
		if (end < 0 && open.length <= longestTagLength) return "";
		this.#openTag = undefined;
		const all = open.pieces.join("");
		this.#rest = "";
		return end < 0 ? all : this.#scan(all);
	}

	/** What is left at the end. */
	end(): string {
		return this.#openTag?.pieces.join("") ?? this.#rest;
	}

	#scan(all: string): string {
		let done = "";
		let at = 0;
		for (;;) {
			const end = this.#until === undefined ? all.indexOf("<", at) : this.#endOfText(all, at);
			if (end < 0) {
				// A mark that ends the text may come in two pieces.
				const kept = this.#until === undefined ? all.length : Math.max(at, all.length - 16);
				return this.#keep(done + all.slice(at, kept), all.slice(kept));
			}
			done += all.slice(at, end);
			at = end;
			const tag = this.#tagAt(all, at);
			if (tag === undefined) return this.#keep(done, all.slice(at));
			if (tag === "open") {
				const piece = all.slice(at);
				this.#openTag = { pieces: [piece], length: piece.length, quote: endOfTag(piece, 0, "").quote };
				return done;
			}
			done += tag.text;
			at += tag.length;
		}
	}

	#keep(done: string, rest: string): string {
		this.#rest = rest;
		return done;
	}

	#endOfText(all: string, at: number): number {
		const until = this.#until;
		if (until === undefined) return at;
		until.lastIndex = at;
		const found = until.exec(all);
		if (found === null) return -1;
		this.#until = undefined;
		return found.index;
	}

	/**
	 * What begins with the `<` there, as it is to be; undefined when it may yet be a comment, `open` for a tag without
	 * its end.
	 */
	#tagAt(all: string, at: number): { text: string; length: number } | "open" | undefined {
		if (all.startsWith("<!--", at)) {
			this.#until = /-->/g;
			return { text: "<!--", length: 4 };
		}
		if ("<!--".startsWith(all.slice(at))) return undefined;
		if (!/[a-z]/i.test(all[at + 1] ?? "")) return { text: all.charAt(at), length: 1 };
		const { end } = endOfTag(all, at, "");
		if (end < 0) return "open";
		const [, name = "", attributes = ""] = /^<([^\s/>"']*)(.*)>$/s.exec(all.slice(at, end + 1)) ?? [];
		const element = name.toLowerCase();
		if (textElements.test(element)) this.#until = new RegExp(`</${element}(?=[\\s/>])`, "gi");
		return { text: `<${name}${this.#withLinks(element, attributes)}>`, length: end + 1 - at };
	}

	#withLinks(element: string, attributes: string): string {
		return attributes.replaceAll(
			// A name starts only where no other name continues: matching at each of its letters would be quadratic.
			/(?<![^\s"'<>/=])([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g,
			(all, name: string, equals: string, value: string) => {
				if (!linkAttributes.get(name.toLowerCase())?.includes(element)) return all;
				const quote = /^["']/.exec(value)?.[0] ?? "";
				const link = quote === "" ? value : value.slice(1, -1);
				return `${name}${equals}${quote}${this.#rewrite(link)}${quote}`;
			},
		);
	}
}

/** Where the tag ends, outside of quotes; -1 where it does not, with the quote that is open then. */
function endOfTag(text: string, from: number, openQuote: string): { end: number; quote: string } {
	let quote = openQuote;
	for (let at = from; at < text.length; at++) {
		const character = text.charAt(at);
		if (quote !== "") {
			if (character === quote) quote = "";
		} else if (character === '"' || character === "'") quote = character;
		else if (character === ">") return { end: at, quote };
	}
	return { end: -1, quote };
}
