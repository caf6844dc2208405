import { expect, test } from "vitest";
import { proxiedLink, withLinks, withProxiedLinks } from "./proxied-links.ts";

const place = { prefix: "/api/v1/namespaces/a/pods/p:80/proxy", hosts: ["10.0.0.1:80", "localhost:8001"] };

test("a link that begins with a slash, or names the proxied host, gets the proxy's path; others stay", () => {
	const links = {
		"/x?y#z": `${place.prefix}/x?y#z`,
		"/": `${place.prefix}/`,
		"http://10.0.0.1:80/x/": `${place.prefix}/x/`,
		"//localhost:8001/x": `${place.prefix}/x`,
		"http://elsewhere/x": "http://elsewhere/x",
		"//elsewhere/x": "//elsewhere/x",
		"x/y": "x/y",
		"#z": "#z",
		"mailto:x": "mailto:x",
		[`${place.prefix}/x`]: `${place.prefix}/x`,
	};
	for (const [link, wanted] of Object.entries(links)) expect(proxiedLink(link, place)).toBe(wanted);
});

async function rewritten(html: string, pieceLength = html.length): Promise<string> {
	async function* pieces() {
		for (let at = 0; at < html.length; at += pieceLength) yield Buffer.from(html.slice(at, at + pieceLength), "latin1");
	}
	let text = "";
	for await (const part of withLinks(pieces(), (link) => `P${link}`)) text += Buffer.from(part).toString("latin1");
	return text;
}

const page = `<!DOCTYPE html><HTML><body background='/b' title="/t">
<A HREF="/a">/x</a> <a title="a > b" href = '/q'>1 < 2</a><img alt src=/i.png/><form action="/f"><br>
<!-- <a href="/no"> --><script src="/s">"<a href='/no'>"</script><style><a href="/no"></style >
<a constructor="/no" data-href="/no" href="">\xff</a><iframe src=/f></iframe><a href="/unfinished`;

test("links of a page are found in tags, and nothing else changes", async () => {
	const wanted = page
		.replace("'/b'", "'P/b'")
		.replace('"/a"', '"P/a"')
		.replace("'/q'", "'P/q'")
		.replace("=/i.png/", "=P/i.png/")
		.replace('"/f"', '"P/f"')
		.replace('"/s"', '"P/s"')
		.replace('href=""', 'href="P"')
		.replace("src=/f", "src=P/f");
	expect(await rewritten(page)).toBe(wanted);
	for (const pieceLength of [1, 2, 3, 7, 50]) expect(await rewritten(page, pieceLength)).toBe(wanted);
});

test("a page that is no HTML after all passes, however long", async () => {
	const comment = `<!-- ${"x".repeat(2 * 1024 * 1024)} --><a href="/a">`;
	expect((await rewritten(comment, 64 * 1024)) === comment).toBe(true);
	const kept = comment.replace("x".repeat(1024 * 1024 + 100), "");
	expect((await rewritten(kept, 64 * 1024)) === kept.replace("/a", "P/a")).toBe(true);
});

test("only HTML is rewritten, without its old length", () => {
	const answer = (headers: Record<string, string>) =>
		withProxiedLinks({ type: "stream", status: 200, headers, body: (async function* () {})() }, place).headers;
	expect(answer({ "content-type": "text/html; charset=utf-8", "content-length": "9" })).toEqual({
		"content-type": "text/html; charset=utf-8",
	});
	const plain = { "content-type": "text/plain", "content-length": "9" };
	expect(answer(plain)).toEqual(plain);
	expect(answer({ location: "/login" })).toEqual({ location: `${place.prefix}/login` });
});

test("what a page costs grows with its size and no faster: long names, and tags that come letter by letter", async () => {
	const names = `<a ${"x".repeat(60_000)}>`.repeat(30);
	expect((await rewritten(names)) === names).toBe(true);
	const open = `<a title='${">".repeat(20_000)}' href="/a">`;
	expect((await rewritten(open, 1)) === open.replace("/a", "P/a")).toBe(true);
	const unfinished = `<a title='${"<a ".repeat(30_000)}`;
	expect((await rewritten(unfinished, 1000)) === unfinished).toBe(true);
});
