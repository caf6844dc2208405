import { once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import {
	type ClientHttp2Stream,
	connect as connectHttp2,
	createServer as createHttp2Server,
	type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import { BodyBudget, defaultTimeouts } from "./limits.ts";
import { type Body, receiveBody } from "./receive-body.ts";

const clock = systemClock({ unref: true });
const limits = () => ({ clock, timeouts: defaultTimeouts, bodies: new BodyBudget() });
const streamBody = () => Object.assign(new PassThrough(), { aborted: false });
const ends: (() => void)[] = [];
afterEach(() => {
	for (const end of ends.splice(0)) end();
});

/** What becomes of a body: its text, or the reason why there is none. */
const outcome = (body: Body, headers = {}) =>
	receiveBody({ body, headers }, limits()).then(
		(bytes) => Buffer.from(bytes).toString(),
		({ reason }) => `refused: ${reason}`,
	);

test("a body is received whole, in however many pieces it comes", async () => {
	const body = streamBody();
	const received = outcome(body);
	body.write("one, ");
	body.write("two, ");
	body.end("three");
	expect(await received).toBe("one, two, three");
	const empty = streamBody();
	empty.end();
	expect(await outcome(empty)).toBe("");
});

test("a body is not waited for when its client is gone already", async () => {
	const body = streamBody();
	body.destroy();
	expect(await outcome(body)).toBe("refused: BadRequest");
});

test("a body that is too large is refused at once, or where it becomes so, and gives back what it took", async () => {
	const announced = streamBody();
	expect(await outcome(announced, { "content-length": String(4 * 1024 * 1024) })).toBe(
		"refused: RequestEntityTooLarge",
	);
	const body = streamBody();
	const bodies = new BodyBudget();
	const received = receiveBody({ body, headers: {} }, { ...limits(), bodies });
	for (let count = 0; count < 4; count++) body.write(Buffer.alloc(1024 * 1024));
	await expect(received).rejects.toMatchObject({ reason: "RequestEntityTooLarge" });
	expect(() => bodies.take(256 * 1024 * 1024)).not.toThrow();
});

test("a body that does not come in time is refused", async () => {
	const received = receiveBody(
		{ body: streamBody(), headers: {} },
		{ ...limits(), timeouts: { ...defaultTimeouts, bodyMs: 1 } },
	);
	await expect(received).rejects.toMatchObject({ reason: "Timeout" });
});

test("a body that breaks off is none: an HTTP/1.1 connection that is cut", async () => {
	const server = createHttp1Server();
	ends.push(() => server.close());
	await once(server.listen(0, "127.0.0.1"), "listening");
	const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
	socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
	const [request] = await once(server, "request");
	const received = outcome(request);
	socket.destroy();
	expect(await received).toBe("refused: BadRequest");
});

test.each<[string, (request: ClientHttp2Stream, socket: Socket) => void]>([
	["a stream that is reset", (request) => request.destroy(new Error("given up"))],
	["an HTTP/2 connection that is cut", (_request, socket) => socket.destroy()],
])("a body that breaks off is none: %s", async (_what, breakOff) => {
	const server = createHttp2Server();
	ends.push(() => server.close());
	await once(server.listen(0, "127.0.0.1"), "listening");
	const { port } = server.address() as AddressInfo;
	const socket = connect(port, "127.0.0.1");
	const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => socket });
	session.on("error", () => {});
	ends.push(() => session.destroy());
	const request = session.request({ ":method": "POST" }, { endStream: false });
	request.on("error", () => {});
	request.write("half");
	const [stream] = (await once(server, "stream")) as [ServerHttp2Stream];
	stream.on("error", () => {});
	const received = outcome(stream);
	await once(stream, "data");
	breakOff(request, socket);
	expect(await received).toBe("refused: BadRequest");
});
