/**
 * Upgraded connections through a listener and an agent's endpoint: exec, attach and port forwarding over WebSocket and
 * SPDY, with frames that no client sends.
 */
import { connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { createApi } from "../../src/api/handle.ts";
import { listen } from "../../src/api/listen.ts";
import { duplexPair } from "../../src/api/sockets/duplex-pair.ts";
import { controlFrame, dataFrames, finFlag, frameTypes } from "../../src/core/spdy/frames.ts";
import { HeaderEncoder, uint32 } from "../../src/core/spdy/headers.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { createRegistry } from "../../src/kinds/engine/registry.ts";
import { usualKubeletConfiguration } from "../../src/node/context/kubelet-configuration.ts";
import type { NodeContext } from "../../src/node/context/node-context.ts";
import { createEndpoint } from "../../src/node/streams/endpoint.ts";
import { testPod } from "../../src/node/testing/kube-server.ts";
import type { ExecSession } from "../../src/runtime/runtime.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { Chance } from "./chance.ts";
import { admin } from "./requests.ts";
import { text } from "./values.ts";

export interface UpgradeReport {
	problems: string[];
	/** Status code → number of answers; 0: none. */
	answers: Map<number, number>;
}

const atOnce = 20;
/** After the last frame, the client disconnects. */
const quietMs = 20;
const answerLimitMs = 20_000;

/** Never rejects because of what a client sends: that would end the process. */
export async function fuzzUpgrades({ count, seed }: { count: number; seed: number }): Promise<UpgradeReport> {
	const chance = new Chance(seed);
	const report: UpgradeReport = { problems: [], answers: new Map() };
	const clock = systemClock({ unref: true });
	const ending = new AbortController();
	const agent = createEndpoint({
		context: agentContext(),
		pods: () => [testPod],
		settings: { configuration: usualKubeletConfiguration, clusterDomain: "cluster.local", mostPods: 110 },
		signal: ending.signal,
	});
	const dialAgent = async () => {
		const [ours, theirs] = duplexPair();
		agent(theirs);
		return ours;
	};
	const registry = createRegistry(catalog);
	const api = await createApi({ store: createMemoryStore(), clock, registry, serviceCidr: "10.96.0.0/16", dialAgent });
	for (const [path, object] of [
		["/api/v1/namespaces", { metadata: { name: "default" } }],
		["/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } }],
		["/api/v1/namespaces/default/pods", { metadata: { name: "web" }, spec: testPod.spec }],
	] as const)
		await api.handle({ ...asked("POST", path), body: { object } });
	await api.handle({ ...asked("PUT", "/api/v1/namespaces/default/pods/web/status"), body: { object: testPod } });
	const listener = await listen(api, { user: admin });
	for (let done = 0; done < count; done += atOnce) {
		const talks = Array.from({ length: Math.min(atOnce, count - done) }, () => conversation(chance));
		for (const [index, answer] of (await Promise.all(talks.map((talk) => hold(talk, listener.port ?? 0)))).entries()) {
			const { code, problem } = judged(answer);
			report.answers.set(code, (report.answers.get(code) ?? 0) + 1);
			if (problem !== undefined) report.problems.push(`${problem}: ${talks[index]?.head} → ${answer.slice(0, 500)}`);
		}
	}
	await listener.close();
	ending.abort();
	await api.close();
	return report;
}

function asked(method: "POST" | "PUT", path: string) {
	const signal = new AbortController().signal;
	return { method, path, query: new URLSearchParams(), headers: {}, user: admin, signal };
}

/** Commands that echo their input, or end immediately. */
function agentContext(): NodeContext {
	const container = {
		id: "c1",
		sandboxId: "s1",
		config: { name: "c", attempt: 0, logPath: "/dev/null" },
		state: "running",
	};
	const session = async (_: string, { signal }: { signal: AbortSignal }): Promise<ExecSession> => {
		const stdin = new PassThrough();
		const stdout = new PassThrough();
		stdin.pipe(stdout);
		const exitCode = new Promise<number>((resolve) => {
			stdout.once("end", () => resolve(0));
			signal.addEventListener("abort", () => resolve(137), { once: true });
		});
		return { stdin, stdout, stderr: new PassThrough().end(), resize: () => {}, exitCode };
	};
	const runtime = {
		exec: session,
		attach: session,
		connect: async (_: string, port: number) => {
			if (port === 1) throw new Error("connection refused");
			return duplexPair()[0];
		},
		stats: async () => [],
	};
	const view = {
		of: () => ({ sandboxes: [{ id: "s1", state: "ready" }], containers: [container] }),
		onChange: () => () => {},
	};
	// The endpoint uses only this part of its context.
	return { clock: systemClock({ unref: true }), runtime, view, node: { name: "node-1" } } as unknown as NodeContext;
}

interface Conversation {
	head: string;
	frames: Buffer[];
}

const subprotocols = [
	"v5.channel.k8s.io",
	"v4.channel.k8s.io",
	"channel.k8s.io",
	"v4.base64.channel.k8s.io",
	"base64.binary.k8s.io",
	"SPDY/3.1+portforward.k8s.io",
	"v9.channel.k8s.io",
	"a b",
	"base64url.bearer.authorization.k8s.io.YQ",
	"",
];

function conversation(chance: Chance): Conversation {
	const isWebSocket = chance.once(2);
	const isHonest = !chance.once(3);
	const path = chance.pick([
		"exec",
		"exec",
		"attach",
		"portforward",
		"portforward",
		isHonest ? "exec" : "log",
		isHonest ? "attach" : "%",
	]);
	const query = new URLSearchParams();
	for (const name of ["stdin", "stdout", "stderr", "tty"])
		if (!chance.once(3)) query.append(name, chance.pick(["true", "1", "x"]));
	for (let count = chance.number(4); count > 0; count--) query.append("command", text(chance));
	query.append(
		"ports",
		isHonest ? chance.pick(["80", "80,81", "1"]) : chance.pick(["", "0", "65536", "x", "1,".repeat(300)]),
	);
	const name = !isHonest && chance.once(4) ? encodeURIComponent(text(chance).replace(/[\ud800-\udfff]/g, "?")) : "web";
	const lines = [
		`${isWebSocket && isHonest ? "GET" : chance.pick(["GET", "POST", "POST", "DELETE"])} /api/v1/namespaces/default/pods/${name}/${path}?${query} HTTP/1.1`,
		"Host: a",
		`Connection: ${!isHonest && chance.once(6) ? "close" : "Upgrade"}`,
		`Upgrade: ${!isHonest && chance.once(4) ? chance.pick(["h2c", "x", "websocket, SPDY/3.1"]) : isWebSocket ? "websocket" : "SPDY/3.1"}`,
	];
	if (isWebSocket) {
		const protocols = Array.from({ length: 1 + chance.number(2) }, () => chance.pick(subprotocols)).join(", ");
		if (isHonest || !chance.once(8))
			lines.push(`Sec-WebSocket-Key: ${!isHonest && chance.once(4) ? "x" : "dGhlIHNhbXBsZSBub25jZQ=="}`);
		if (isHonest || !chance.once(8)) lines.push(`Sec-WebSocket-Version: ${!isHonest && chance.once(4) ? "99" : "13"}`);
		if (!chance.once(5)) lines.push(`Sec-WebSocket-Protocol: ${protocols}`);
	} else if (!chance.once(4))
		lines.push(
			`X-Stream-Protocol-Version: ${isHonest ? "v4.channel.k8s.io" : chance.pick(["v4.channel.k8s.io", "v4.channel.k8s.io, channel.k8s.io", "x", "portforward.k8s.io"])}`,
		);
	const make = isWebSocket ? webSocketFrame : spdyFrames(path, chance.once(3));
	const frames = Array.from({ length: chance.number(12) }, () => (chance.once(12) ? garbage(chance) : make(chance)));
	return { head: `${lines.join("\r\n")}\r\n\r\n`, frames };
}

function garbage(chance: Chance): Buffer {
	return Buffer.from(Array.from({ length: chance.number(64) }, () => chance.number(256)));
}

function payload(chance: Chance): Buffer {
	return chance.pick([
		Buffer.alloc(0),
		Buffer.from([chance.number(6)]),
		Buffer.from([255, chance.number(3)]),
		Buffer.from([0, ...Buffer.from("hello")]),
		Buffer.from('\u0004{"Width":1e999,"Height":-1}'),
		Buffer.from('\u0004{"Width":{},"Height":[]}'),
		Buffer.from("0aGVsbG8="),
		Buffer.from("0***"),
		Buffer.alloc(70_000, 1),
		garbage(chance),
	]);
}

function webSocketFrame(chance: Chance): Buffer {
	const opcode = chance.pick([0, 1, 2, 2, 2, 2, 3, 8, 9, 10]);
	const first = (chance.once(6) ? 0 : 0x80) | (chance.once(30) ? 0x40 : 0) | opcode;
	const content = payload(chance);
	const isMasked = chance.once(15) ? 0 : 0x80;
	const length = chance.once(20) ? 2 ** 40 : content.length;
	const head =
		length < 126
			? Buffer.from([first, isMasked | length])
			: Buffer.concat([Buffer.from([first, isMasked | 127]), uint32(Math.floor(length / 2 ** 32)), uint32(length)]);
	// A mask of zeros changes nothing.
	return Buffer.concat([head, Buffer.alloc(isMasked === 0 ? 0 : 4), content]);
}

/** Streams of one connection share their compression. */
function spdyFrames(path: string, isOdd: boolean): (chance: Chance) => Buffer {
	const encoder = new HeaderEncoder();
	let id = 1;
	const types = path === "portforward" ? ["error", "data"] : ["error", "stdin", "stdout", "stderr", "resize"];
	let next = 0;
	return (chance) => {
		const known = uint32(chance.once(8) ? chance.number(2 ** 31) : Math.max(1, id - 2 * chance.number(4)));
		switch (chance.number(isOdd ? 9 : 4)) {
			case 3:
				return Buffer.concat(dataFrames(known.readUInt32BE(0), payload(chance), chance.once(3)));
			case 4:
				return controlFrame(
					frameTypes.rstStream,
					0,
					Buffer.concat([known, uint32(1)]).subarray(0, chance.pick([8, 8, 3])),
				);
			case 5:
				return controlFrame(frameTypes.ping, 0, payload(chance));
			case 6:
				return controlFrame(frameTypes.headers, chance.pick([0, finFlag]), Buffer.concat([known, garbage(chance)]));
			case 7:
				return controlFrame(chance.number(20), chance.number(256), payload(chance));
			case 8:
				return Buffer.concat([Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]), garbage(chance)]);
			default: {
				const headers = new Map([
					["streamtype", isOdd && chance.once(4) ? text(chance) : (types[next++ % types.length] ?? "")],
					["port", chance.pick(["80", "1", "x", "-1", "99999"])],
					...(chance.once(3) ? [] : [["requestid", String(Math.floor(next / 2))] as const]),
				]);
				const block = encoder.encode(headers);
				const frame = controlFrame(
					frameTypes.synStream,
					chance.once(6) ? finFlag : 0,
					Buffer.concat([uint32(chance.once(12) ? 1 : id), uint32(0), Buffer.alloc(2), block]),
				);
				id += 2;
				return frame;
			}
		}
	};
}

/** Sends all parts, and returns what was received until the server ends the connection or is silent. */
function hold({ head, frames }: Conversation, port: number): Promise<string> {
	return new Promise((resolve) => {
		const socket: Socket = connect(port, "127.0.0.1");
		const chunks: Buffer[] = [];
		const done = () => {
			clearTimeout(limit);
			clearTimeout(quiet);
			socket.destroy();
			resolve(Buffer.concat(chunks).toString("latin1"));
		};
		const limit = setTimeout(done, answerLimitMs);
		let quiet: NodeJS.Timeout | undefined;
		socket.on("data", (chunk: Buffer) => {
			// Frames are sent after the upgrade: before it, they would be another request.
			if (chunks.length === 0 && /^HTTP\/1.1 101 /.test(chunk.toString("latin1", 0, 20)))
				socket.write(Buffer.concat(frames));
			chunks.push(chunk);
			clearTimeout(quiet);
			quiet = setTimeout(done, quietMs);
		});
		socket.once("error", () => {});
		socket.once("close", done);
		socket.write(head);
	});
}

function judged(answer: string): { code: number; problem?: string } {
	const code = Number(/^HTTP\/1.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
	if (code === 0) return { code, problem: "no answer" };
	if (code >= 500 && code !== 503 && code !== 504) return { code, problem: `${code}` };
	// Refusals of agents are a line of text, like those of upstream's kubelet.
	if (code < 400 || /"kind":"Status"|^content-type: text\/plain/im.test(answer)) return { code };
	return { code, problem: `${code} without a Status` };
}
