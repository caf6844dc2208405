/** Connections through the aggregator that become something else, and requests that come round. */
import type { IncomingMessage } from "node:http";
import { afterEach, expect, test } from "vitest";
import { duplexPair } from "../sockets/duplex-pair.ts";
import { closeAll } from "../testing/clients.ts";
import { availableExtension, through, until, wardle } from "../testing/extension-server.ts";

afterEach(closeAll);

test("a connection becomes what the extension server makes of it, for the user and no one else", async () => {
	const { api, extension } = await availableExtension();
	const seen: IncomingMessage[] = [];
	extension.https.on("upgrade", (request, socket) => {
		seen.push(request);
		socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
		socket.pipe(socket);
	});
	const [socket, client] = duplexPair();
	const path = `${wardle}/namespaces/default/flunders/one/connect?x=1`;
	const sent = [
		["Host", "api"],
		["Connection", "Upgrade, X-Remote-User"],
		["Upgrade", "echo"],
		["X-Remote-User", "root"],
		["x-remote-group", "system:masters"],
		["X-Remote-Extra-A", "b"],
		["Authorization", "Bearer x"],
		["X-Other", "yes"],
	];
	const headers = Object.fromEntries(sent.map(([name = "", value]) => [name.toLowerCase(), value]));
	// Of an IncomingMessage, what an upgrade looks at.
	const incoming = { method: "GET", url: path, headers, rawHeaders: sent.flat(), socket } as unknown as IncomingMessage;
	const user = { name: "ann ü", groups: ["system:authenticated", "crew"] };
	void api.upgrade(incoming, socket, Buffer.from("hello"), user);
	let text = "";
	client.on("data", (chunk: Buffer) => (text += chunk));
	await until(() => expect(text).toMatch(/^HTTP\/1.1 101 .*\r\n\r\nhello$/s));
	client.write(", again");
	await until(() => expect(text).toContain("hello, again"));
	client.destroy();
	const [request] = seen;
	expect(request?.url).toBe(path);
	const utf8 = (value = "") => Buffer.from(value, "latin1").toString();
	expect(utf8(String(request?.headers["x-remote-user"]))).toBe("ann ü");
	expect(request?.headers).toMatchObject({
		host: "hook.default.svc",
		connection: "Upgrade",
		upgrade: "echo",
		"x-remote-group": "system:authenticated, crew",
		"x-other": "yes",
	});
	for (const name of ["authorization", "x-remote-extra-a"]) expect(request?.headers).not.toHaveProperty(name);
});

test("a user whose name could be taken for more headers gets no connection", async () => {
	const { api, extension } = await availableExtension();
	const heads: IncomingMessage[] = [];
	extension.https.on("upgrade", (request, socket) => {
		heads.push(request);
		socket.destroy();
	});
	const [socket, client] = duplexPair();
	const headers = { host: "api", connection: "Upgrade", upgrade: "echo" };
	const incoming = { method: "GET", url: wardle, headers, rawHeaders: Object.entries(headers).flat(), socket };
	// As above.
	void api.upgrade(incoming as unknown as IncomingMessage, socket, Buffer.alloc(0), {
		name: "a\r\nX-Remote-Group: system:masters",
		groups: ["system:masters"],
	});
	let text = "";
	client.on("data", (chunk: Buffer) => (text += chunk));
	await until(() => expect(text).toContain("invalid header field value"));
	expect([text.split(" ")[1], heads]).toEqual(["503", []]);
});

test("a request that has been here before is not sent round again", async () => {
	const { api, extension } = await availableExtension();
	const seen: string[] = [];
	extension.intercept = ({ headers, url }) => {
		if (url?.includes("flunders") === true) seen.push(headers["via"] ?? "");
		return false;
	};
	const flunders = `${wardle}/namespaces/default/flunders`;
	expect((await through(api, "GET", flunders, undefined, { headers: { via: "1.1 other" } })).status).toBe(200);
	expect(seen).toEqual([expect.stringMatching(/^1.1 other, 1.1 coxswain-[\da-f]+$/)]);
	const again = await through(api, "GET", flunders, undefined, { headers: { via: seen[0] ?? "" } });
	expect([again.status, seen.length]).toEqual([503, 1]);
});
