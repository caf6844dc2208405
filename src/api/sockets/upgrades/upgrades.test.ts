/** Connections that carry more than one request, or become something else. */
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { closeAll, configMaps, http1, impatient, secure } from "../../testing/clients.ts";

afterEach(closeAll);

const webSocketHead =
	"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n";

interface Connection {
	socket: TLSSocket;
	text: string;
	closed: Promise<unknown>;
}

async function open(port: number | undefined, tls: object): Promise<Connection> {
	const socket = connect({ host: "127.0.0.1", port: port ?? 0, ...tls });
	const connection = { socket, text: "", closed: once(socket, "close") };
	socket.on("error", () => {});
	socket.on("data", (chunk: Buffer) => {
		connection.text += chunk;
	});
	await once(socket, "secureConnect");
	return connection;
}

test("a watch over WebSocket brings all that there is, however much, to a client that reads", async () => {
	const { api, origin, tls } = await secure();
	const text = "x".repeat(250_000);
	for (let index = 0; index < 40; index++)
		await api.ask("POST", configMaps, { metadata: { name: `large-${index}` }, data: { text } });
	const websocket = new WebSocket(`${origin.replace("https", "wss")}${configMaps}?watch=1`, tls);
	const names = new Set<string>();
	websocket.on("message", (message: Buffer) => {
		names.add((JSON.parse(message.toString()) as { object: { metadata: { name: string } } }).object.metadata.name);
		if (names.size === 40) websocket.close();
	});
	await once(websocket, "close");
	expect(names.size).toBe(40);
	// And nothing of that size is indented for anyone.
	const list = await http1(`${origin}${configMaps}?pretty=true`, tls);
	expect(list.body.indexOf("\n")).toBeGreaterThanOrEqual(list.body.length - 1);
	const one = await http1(`${origin}${configMaps}/large-0?pretty=true`, tls);
	expect(one.body.indexOf("\n")).toBe(1);
});

test("watches over WebSocket end when the server does", async () => {
	const { listener, origin, tls } = await secure();
	const websocket = new WebSocket(`${origin.replace("https", "wss")}${configMaps}?watch=1`, tls);
	await once(websocket, "open");
	await listener.close();
	const [code] = await once(websocket, "close");
	expect(code).toBe(1000);
});

test("a head with more fields than are read, or with two hosts, is refused, also where it asks for an upgrade", async () => {
	const { listener, tls } = await secure();
	const many = "A: b\r\n".repeat(2100);
	for (const more of [many, "Host: y\r\n", `${many}${webSocketHead}`, `${webSocketHead}Host: y\r\n`]) {
		const connection = await open(listener.port, tls);
		connection.socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: x\r\n${more}Connection: close\r\n\r\n`);
		await connection.closed;
		expect(connection.text).toMatch(/^HTTP\/1\.1 400 .*too many/s);
	}
});

test("an upgrade that is asked for before the last answer is there gets none", async () => {
	const { listener, tls } = await secure();
	const connection = await open(listener.port, tls);
	const watch = `GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: x\r\n`;
	connection.socket.write(`${watch}\r\n${watch}${webSocketHead}\r\n`);
	await connection.closed;
	expect(connection.text).not.toContain("101 Switching");
});

test("a connection is not idle as long as one of the requests that it brought together is answered", async () => {
	const { api, port, client } = await impatient({ idleMs: 50 });
	const connection = await open(port, client);
	const head = (query: string) => `GET ${configMaps}${query} HTTP/1.1\r\nHost: x\r\n\r\n`;
	connection.socket.write(`${head("")}${head("?watch=1")}`);
	// Two that came later are cut for having no request, one after the other.
	for (let round = 0; round < 2; round++) await (await open(port, client)).closed;
	await api.ask("POST", configMaps, { metadata: { name: "late" } });
	await expect.poll(() => connection.text).toContain('"name":"late"');
	expect(connection.socket.destroyed).toBe(false);
	connection.socket.destroy();
});
