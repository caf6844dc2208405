/**
 * Links of a proxied page: those that begin with a slash would lead out of the proxy, so they get the proxy's path in
 * front (API concepts, "proxy subresource").
 */
import type { TokenizerCallbacks } from "htmlparser2";
import type { ApiResponse } from "../../core/exchange.ts";

export interface Place {
	/** Path of the proxy, up to and with `/proxy`. */
	prefix: string;
	/** Host names of the backend: `10.0.0.1:8080`. */
	hosts: readonly string[];
}

/** The response with a Location, and links in HTML, that lead through the proxy. */
export function withProxiedLinks(response: ApiResponse, place: Place): ApiResponse {
	if (response.type !== "stream") return response;
	const { headers, body } = response;
	const { location } = headers;
	if (location !== undefined && location !== "")
		return { ...response, headers: { ...headers, location: proxiedLink(location, place) } };
	const isHtml = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() === "text/html";
	// Compressed responses are not changed: backends are not asked to compress.
	if (!isHtml || (headers["content-encoding"] ?? "identity") !== "identity") return response;
	const { "content-length": _, ...others } = headers;
	return { ...response, headers: others, body: withLinks(body, (link) => proxiedLink(link, place)) };
}

/** The link below the proxy; relative links and those to other hosts are not changed. */
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

/** The library's `QuoteType.Unquoted`, without loading the library. */
const unquoted = 1;

/** Longer tokens are no links: the rest of the response passes unread. */
const longestTokenLength = 1024 * 1024;

/** HTML in any encoding that includes ASCII, as a stream: bytes that are no link pass unchanged. */
export async function* withLinks(
	html: AsyncIterable<Uint8Array>,
	rewrite: (link: string) => string,
): AsyncGenerator<Uint8Array> {
	// Loaded on first use: most servers never proxy a page.
	const { Tokenizer } = await import("htmlparser2");
	const rewriter = new LinkRewriter(rewrite);
	const tokenizer = new Tokenizer({ decodeEntities: false }, rewriter);
	let isRead = true;
	for await (const chunk of html) {
		const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
		rewriter.receive(text);
		if (isRead) tokenizer.write(text);
		isRead &&= rewriter.undecidedLength <= longestTokenLength;
		const done = isRead ? rewriter.finished() : rewriter.rest();
		if (done !== "") yield Buffer.from(done, "latin1");
	}
	const rest = rewriter.rest();
	if (rest !== "") yield Buffer.from(rest, "latin1");
}

/** Follows the tokens of a page. All positions are those of the whole page. */
class LinkRewriter implements TokenizerCallbacks {
	readonly #rewrite: (link: string) => string;
	/** The page from `#start` on, as it came. */
	#pending = "";
	#start = 0;
	/** What is decided, and how far that is. */
	#done = "";
	#decided = 0;
	#element = "";
	/** Where the value of a link starts; undefined in any other attribute. */
	#linkStart: number | undefined;
	#isLink = false;

	constructor(rewrite: (link: string) => string) {
		this.#rewrite = rewrite;
	}

	receive(text: string): void {
		this.#pending += text;
	}

	get undecidedLength(): number {
		return this.#start + this.#pending.length - this.#decided;
	}

	/** What is decided by now; it is handed out once. */
	finished(): string {
		if (this.#decided > this.#start) {
			this.#pending = this.#pending.slice(this.#decided - this.#start);
			this.#start = this.#decided;
		}
		const done = this.#done;
		this.#done = "";
		return done;
	}

	/** Everything that has not been handed out, undecided text as it came. */
	rest(): string {
		const rest = this.finished() + this.#pending;
		this.#start += this.#pending.length;
		this.#decided = this.#start;
		this.#pending = "";
		return rest;
	}

	#text(from: number, to: number): string {
		return this.#pending.slice(from - this.#start, to - this.#start);
	}

	#pass(to: number): void {
		if (to <= this.#decided) return;
		this.#done += this.#text(this.#decided, to);
		this.#decided = to;
	}

	onopentagname(start: number, end: number): void {
		this.#element = this.#text(start, end).toLowerCase();
		this.#pass(end);
	}

	onattribname(start: number, end: number): void {
		const name = this.#text(start, end).toLowerCase();
		this.#isLink = linkAttributes.get(name)?.includes(this.#element) ?? false;
		this.#linkStart = undefined;
		this.#pass(end);
	}

	/** A value may come in several pieces. */
	onattribdata(start: number, end: number): void {
		if (this.#isLink) this.#linkStart ??= start;
		else this.#pass(end);
	}

	onattribend(quote: number, end: number): void {
		if (this.#linkStart === undefined) return;
		this.#pass(this.#linkStart);
		const valueEnd = quote === unquoted ? end : end - 1;
		this.#done += this.#rewrite(this.#text(this.#linkStart, valueEnd));
		this.#decided = valueEnd;
		this.#linkStart = undefined;
	}

	onopentagend(end: number): void {
		this.#pass(end);
	}

	onselfclosingtag(end: number): void {
		this.#pass(end);
	}

	onclosetag(_start: number, end: number): void {
		this.#pass(end);
	}

	ontext(_start: number, end: number): void {
		this.#pass(end);
	}

	oncomment(_start: number, end: number): void {
		this.#pass(end);
	}

	oncdata(_start: number, end: number): void {
		this.#pass(end);
	}

	ondeclaration(_start: number, end: number): void {
		this.#pass(end);
	}

	onprocessinginstruction(_start: number, end: number): void {
		this.#pass(end);
	}

	// Entities stay as they are, and the end needs nothing: what is undecided passes.
	onattribentity(): void {}
	ontextentity(): void {}
	onend(): void {}
}
