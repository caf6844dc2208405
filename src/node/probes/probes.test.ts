import { createServer } from "node:http";
import http2 from "node:http2";
import { type AddressInfo, createServer as createSocketServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod, Probe } from "../../kinds/generated/types.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { ManagedPod } from "../context/managed-pod.ts";
import type { NodeContext } from "../context/node-context.ts";
import type { PodState } from "../pod/pod-state.ts";
import { afterProbe, initialProbeState } from "../pod/probe-state.ts";
import { grpcProbe } from "./grpc-probe.ts";
import { PodProbes } from "./pod-probes.ts";
import { createProber } from "./prober.ts";

const closers: (() => void)[] = [];
afterEach(() => {
	for (const close of closers.splice(0)) close();
});

async function listening(server: Pick<Server, "listen" | "address" | "close">): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closers.push(() => server.close());
	return (server.address() as AddressInfo).port;
}

// Only exec probes use the runtime.
const prober = createProber({} as Runtime);
const container = { name: "c", ports: [{ name: "web", containerPort: 1 }] };
const run = (probe: Probe) =>
	prober({ pod: {} as Pod, container, id: "c", addresses: ["127.0.0.1"] }, probe, AbortSignal.timeout(2000));

describe("probes", () => {
	test("over HTTP succeed below 400, with the headers asked for", async () => {
		let header: unknown;
		const port = await listening(
			createServer((request, response) => {
				header = request.headers["x-test"];
				response.statusCode = request.url === "/bad" ? 500 : 200;
				response.end();
			}),
		);
		expect(await run({ httpGet: { port, path: "/", httpHeaders: [{ name: "X-Test", value: "1" }] } })).toEqual({
			ok: true,
		});
		expect(header).toBe("1");
		expect(await run({ httpGet: { port, path: "/bad" } })).toEqual({
			ok: false,
			message: "HTTP probe failed with statuscode: 500",
		});
	});
	test("over HTTP fail when the container switches to another protocol", async () => {
		const switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
		const port = await listening(createServer(({ socket }) => socket.write(switching)));
		expect(await run({ httpGet: { port, path: "/" } })).toEqual({
			ok: false,
			message: "HTTP probe failed with statuscode: 101",
		});
	});
	test("over HTTP follow redirects on the host, and none to another", async () => {
		const targets: Record<string, string> = { "/here": "/bad", "/away": "http://0.0.0.0/bad", "/round": "/round" };
		const port = await listening(
			createServer((request, response) => {
				const target = targets[request.url ?? ""];
				if (request.url === "/same") response.writeHead(304);
				else response.writeHead(target === undefined ? 500 : 302, target === undefined ? {} : { location: target });
				response.end(target === undefined ? "" : `see ${target}`);
			}),
		);
		const at = (path: string) => run({ httpGet: { port, path } });
		expect(await at("/here")).toMatchObject({ ok: false, message: "HTTP probe failed with statuscode: 500" });
		expect(await at("/away")).toEqual({
			ok: true,
			warning: "Probe terminated redirects, Response body: see http://0.0.0.0/bad",
		});
		expect(await at("/same")).toEqual({ ok: true, warning: "Probe terminated redirects, Response body: " });
		expect(await at("/round")).toMatchObject({ ok: false, message: expect.stringContaining("after 10 redirects") });
	});
	test("say why a connection failed in the words of upstream", async () => {
		const server = createSocketServer();
		const port = await listening(server);
		await new Promise((resolve) => server.close(resolve));
		closers.length = 0;
		const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
		expect(await run({ httpGet: { port } })).toEqual({
			ok: false,
			message: `Get "http://127.0.0.1:${port}/": ${refused}`,
		});
		expect(await run({ tcpSocket: { port } })).toEqual({ ok: false, message: refused });
	});
	test("over TCP succeed once the connection is there", async () => {
		expect(
			await run({ tcpSocket: { port: await listening(createSocketServer((socket) => socket.destroy())) } }),
		).toEqual({ ok: true });
	});
	test("over gRPC ask for the health of the service", async () => {
		// Lengths of 128 and more take two bytes.
		const long = "long".repeat(50);
		const good = new RegExp(`^\\0{4}(\\x06\\n\\x04good|\\xcb\\n\\xc8\\x01${long})$`);
		const server = http2.createServer();
		server.on("stream", (stream, headers) => {
			const parts: Buffer[] = [];
			stream.on("data", (part: Buffer) => parts.push(part));
			stream.on("end", () => {
				const name = Buffer.concat(parts).toString("latin1");
				expect(headers[":path"]).toBe("/grpc.health.v1.Health/Check");
				stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
				stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
				if (name.endsWith("endless")) stream.end(Buffer.alloc(1024 * 1024));
				else stream.end(Buffer.from([0, 0, 0, 0, 2, 8, good.test(name) ? 1 : 2]));
			});
		});
		const port = await listening(server);
		expect(await run({ grpc: { port, service: "good" } })).toEqual({ ok: true });
		expect(await run({ grpc: { port, service: long } })).toEqual({ ok: true });
		expect(await run({ grpc: { port, service: "endless" } })).toMatchObject({ ok: false });
		const late = await grpcProbe("127.0.0.1", port, "good", AbortSignal.abort());
		expect(late).toMatchObject({ ok: false, message: expect.stringMatching(/^timeout/) });
		expect(await run({ grpc: { port, service: "bad" } })).toEqual({
			ok: false,
			message: 'service unhealthy (responded with "NOT_SERVING")',
		});
	});
});

test("a terminating container has readiness probes until its end, and no liveness probes", async () => {
	const clock = new VirtualClock();
	const asked: string[] = [];
	// Probes use no other fields of the node's context.
	const context = {
		clock,
		events: { record: () => {} },
		prober: async (_: unknown, { exec }: Probe) => {
			asked.push(exec?.command?.[0] ?? "");
			return { ok: exec?.command?.[0] !== "ready" || managed.runtimeState.endingSinceMs === undefined };
		},
	} as unknown as NodeContext;
	const probe = (name: string) => ({ exec: { command: [name] }, periodSeconds: 1, failureThreshold: 1 });
	const spec = { name: "c", readinessProbe: probe("ready"), livenessProbe: probe("alive") };
	const instance = { id: "c-0", sandboxId: "s", config: { name: "c", attempt: 0 }, state: "running", createdAtMs: 0 };
	// Nor of a pod.
	const pod = { metadata: { name: "web" }, spec: { containers: [spec] } } as unknown as Pod;
	const managed: ManagedPod = new ManagedPod(context, pod, { wake: () => probes.ensure(state), removed: () => {} });
	const { runtimeState } = managed;
	const state = {
		pod,
		sandboxes: [{ id: "s" }],
		containers: [instance],
		runtimeState,
		node: { runtimeName: "test" },
	} as unknown as PodState;
	const probes = new PodProbes(managed);
	probes.ensure(state);
	await clock.advance(1500);
	expect(runtimeState.container("c").probes?.ready).toBe(true);
	runtimeState.ends(clock.now());
	runtimeState.stops("c", { containerId: "c-0", graceSeconds: 30 });
	probes.ensure(state);
	asked.length = 0;
	await clock.advance(3000);
	expect(runtimeState.container("c").probes).toMatchObject({ ready: false });
	expect(new Set(asked)).toEqual(new Set(["ready"]));
	probes.close();
});

describe("probe verdicts", () => {
	const probe = { periodSeconds: 10, failureThreshold: 3, successThreshold: 2 };
	const play = (kind: "readiness" | "liveness", results: boolean[], firstMs: number) => {
		let state = initialProbeState(kind, probe, 0);
		return results.map((ok, index) => {
			state = afterProbe(state, kind, probe, ok, { startedAtMs: 0, nowMs: firstMs + index * 10_000 }).state;
			return state.verdict;
		});
	};
	test("a container is ready after as many successes as it takes, and unready after as many failures", () => {
		expect(play("readiness", [true, true, false, false, true, false, false, false], 0)).toEqual([
			"failure",
			"success",
			"success",
			"success",
			"success",
			"success",
			"success",
			"failure",
		]);
	});
	test("a container is alive until as many failures in a row", () => {
		expect(play("liveness", [false, false, true, false, false, false], 0).at(-2)).toBe("success");
		expect(play("liveness", [false, false, true, false, false, false], 0).at(-1)).toBe("failure");
	});
	test("a container that is not ready at first is tried again soon, without counting", () => {
		const initial = initialProbeState("readiness", probe, 0);
		const first = afterProbe(initial, "readiness", probe, false, { startedAtMs: 0, nowMs: 0 });
		expect(first).toMatchObject({ counted: false, state: { nextAtMs: 100 } });
		const second = afterProbe(first.state, "readiness", probe, false, { startedAtMs: 0, nowMs: 100 });
		expect(second).toMatchObject({ counted: false, state: { nextAtMs: 300 } });
	});
});
