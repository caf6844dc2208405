/** Where notifications may be sent, and what a receiver may do to them. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, expect, test } from "vitest";
import { Destinations } from "./destinations.ts";
import { HttpSender } from "./http.ts";

test.each([
	["127.0.0.1", [], "private"],
	["127.0.0.1", ["127.0.0.1"], "open"],
	["10.1.2.3", ["10.1.0.0/16"], "open"],
	["10.2.2.3", ["10.1.0.0/16"], "private"],
	["169.254.169.254", [], "private"],
	["0.0.0.0", [], "private"],
	["::1", [], "private"],
	["::ffff:127.0.0.1", [], "private"],
	["::ffff:7f00:1", [], "private"],
	["0:0:0:0:0:ffff:127.0.0.1", [], "private"],
	["64:ff9b::7f00:1", [], "private"],
	["2002:7f00:1::", [], "private"],
	["fe80::1%eth0", [], "private"],
	["fd00::1", ["fd00::/8"], "open"],
	["8.8.8.8", [], "open"],
	["2606:4700::1111", [], "open"],
	["", [], "private"],
] as const)("%s is reached where %j is allowed: %s", (address, allow, verdict) => {
	expect(new Destinations(allow, true).problemOf("hook.example.com", address) === undefined).toBe(verdict === "open");
});

test("where public addresses are not open, hosts that are allowed are, and only at public addresses", () => {
	const closed = new Destinations(["hooks.slack.com", "*.example.com"], false);
	expect(closed.problemOf("hooks.slack.com", "8.8.8.8")).toBeUndefined();
	expect(closed.problemOf("a.example.com", "8.8.8.8")).toBeUndefined();
	expect(closed.problemOf("a.example.com", "10.0.0.1")).toMatch(/may not reach/);
	expect(closed.problemOf("evil.com", "8.8.8.8")).toMatch(/unless the administrator allows it/);
	expect(() => new Destinations(["10.0.0.0/33"], true)).toThrow(/neither a network/);
});

test("this machine's own public addresses are not public", () => {
	const own = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
	const open = new Destinations([], true);
	expect(own.filter((address) => open.problemOf("me.example.com", address) === undefined)).toEqual([]);
});

const received: { url: string; body: string }[] = [];
const server = createServer(async (request: IncomingMessage, response) => {
	let body = "";
	for await (const chunk of request) body += chunk;
	received.push({ url: request.url ?? "", body });
	if (request.url === "/there") response.writeHead(308, { location: "/here" });
	else if (request.url === "/away") response.writeHead(307, { location: `http://127.0.0.2:${port}/here` });
	else if (request.url === "/round") response.writeHead(307, { location: "/round" });
	else if (request.url === "/switch")
		response.writeHead(101, "Switching Protocols", { upgrade: "x", connection: "upgrade" });
	else if (request.url === "/busy") response.writeHead(429, { "retry-after": "7" });
	response.end(request.url === "/large" ? "x".repeat(1_000_000) : "ok");
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const { port } = server.address() as AddressInfo;
afterAll(() => server.close());

test("redirects are followed on the same host only, answers are read no further than needed", async () => {
	const sender = new HttpSender(new Destinations(["127.0.0.0/8"], false));
	const post = (path: string) => sender.post(new URL(`http://127.0.0.1:${port}${path}`), {}, "body");
	expect(await post("/here")).toEqual({ status: 200 });
	expect(await post("/there")).toEqual({ status: 200 });
	expect(received.at(-1)).toEqual({ url: "/here", body: "body" });
	expect(await post("/large")).toMatchObject({ status: 200 });
	expect(await post("/busy")).toEqual({ status: 429, retryAfterMs: 7000 });
	await expect(post("/away")).rejects.toThrow("127.0.0.1 sends it on to another host");
	await expect(post("/round")).rejects.toThrow("again and again");
	sender.close();
});

test("a name that leads to a private address is refused when it is connected to, and errors do not tell the URL", async () => {
	const count = received.length;
	const sender = new HttpSender(new Destinations([], true));
	for (const host of ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0x7f000001", "[::1]"]) {
		const failing = sender.post(new URL(`http://${host}:${port}/services/secret`), {}, "");
		await expect(failing).rejects.toThrow(/may not reach/);
		await expect(failing).rejects.not.toThrow(/secret/);
	}
	expect(received).toHaveLength(count);
	const open = new HttpSender(new Destinations(["127.0.0.1"], false));
	await expect(open.post(new URL("http://127.0.0.1:1/"), {}, "")).rejects.toThrow(
		"127.0.0.1: nothing listens there (ECONNREFUSED)",
	);
	sender.close();
	open.close();
});

test("a receiver that switches to another protocol has answered, with that status", async () => {
	const sender = new HttpSender(new Destinations(["127.0.0.1"], false));
	expect(await sender.post(new URL(`http://127.0.0.1:${port}/switch`), {}, "x")).toEqual({ status: 101 });
	sender.close();
});
