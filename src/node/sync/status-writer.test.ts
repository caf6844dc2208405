import { expect, test } from "vitest";
import type { Transport } from "../../client/client.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import { ApiError, conflict } from "../../core/errors.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod, PodStatus } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { TestServer } from "../testing/test-server.ts";
import { StatusWriter } from "./status-writer.ts";

const pending: PodStatus = { phase: "Pending", conditions: [{ type: "Ready", status: "False" }] };
const running: PodStatus = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };

/** A pod in the API, and its writer, whose requests may fail before or after they are carried out. */
async function setUp(written: () => void = () => {}) {
	const clock = new VirtualClock();
	const server = new TestServer(clock);
	const faults: { before?: Error | undefined; after?: Error | undefined; late?: Promise<void> } = {};
	const inner = memoryTransport(server.handle, { name: "system:node:test", groups: ["system:nodes"] });
	const transport: Transport = {
		async send(request) {
			const { before, after } = faults;
			if (request.method !== "PATCH") return inner.send(request);
			faults.before = faults.after = undefined;
			if (before !== undefined) throw before;
			const answer = await inner.send(request);
			if (after !== undefined) throw after;
			await faults.late;
			return answer;
		},
		close: () => inner.close(),
	};
	const client = createClient(transport, { clock });
	const draft = { metadata: { name: "web", namespace: "default" }, spec: { containers: [{ name: "c", image: "x" }] } };
	const pod: Pod = await server.client.create(pods, draft);
	const writer = new StatusWriter(client, clock, pod, written);
	return { clock, server, faults, pod, writer };
}

test("a status that met a conflict is written with the next attempt", async () => {
	const { clock, server, faults, pod, writer } = await setUp();
	faults.before = conflict({ group: "", plural: "pods" }, "web", "the object has been modified");
	writer.write(pod, running);
	await clock.advance(1000);
	expect(server.pod("web")?.status).toEqual(running);
	expect(writer.has(running)).toBe(true);
});

test("a status that was written in vain is taken back though nothing had acknowledged it", async () => {
	const { clock, server, faults, pod, writer } = await setUp();
	writer.write(pod, pending);
	await clock.advance(0);
	faults.after = new ApiError("Timeout", "the answer was lost");
	writer.write(pod, running);
	await clock.advance(0);
	expect(server.pod("web")?.status?.phase).toBe("Running");
	expect(writer.has(pending)).toBe(false);
	writer.write(pod, pending);
	await clock.advance(1000);
	expect(server.pod("web")?.status).toEqual(pending);
});

test("a condition that someone wrote over is written again after a while", async () => {
	const { clock, server, pod, writer } = await setUp();
	writer.write(pod, running);
	await clock.advance(0);
	const patch = { status: { conditions: [{ type: "Ready", status: "False" }] } };
	const changed = await server.client.patch(
		pods,
		{ namespace: "default", name: "web" },
		{ type: "strategic", patch },
		"status",
	);
	writer.observe(changed);
	expect(writer.has(running)).toBe(true);
	await clock.advance(10_000);
	expect(writer.has(running)).toBe(false);
	writer.write(changed, running);
	await clock.advance(0);
	expect(server.pod("web")?.status).toEqual(running);
});

test("a condition that someone wrote over is written again though the pod source told of it before the answer came", async () => {
	const { clock, server, faults, pod, writer } = await setUp();
	const late = new Promise<void>((resolve) => clock.after(100, resolve));
	faults.late = late;
	writer.write(pod, running);
	await clock.advance(10);
	const patch = { status: { conditions: [{ type: "Ready", status: "False" }] } };
	const ref = { namespace: "default", name: "web" };
	writer.observe(await server.client.patch(pods, ref, { type: "strategic", patch }, "status"));
	await clock.advance(11_000);
	expect(writer.has(running)).toBe(false);
});

test("what the pod source tells late is not taken for news", async () => {
	const { clock, server, pod, writer } = await setUp();
	writer.write(pod, running);
	await clock.advance(0);
	writer.observe(pod);
	expect(writer.has(running)).toBe(true);
	expect(server.statusWrites).toBe(1);
});

test("a status wanted while the last write is acknowledged is written too", async () => {
	const wanted: { write?: () => void } = {};
	const { clock, server, pod, writer } = await setUp(() => {
		const { write } = wanted;
		delete wanted.write;
		// A few turns later, when the writer may be about to stop.
		for (let turns = 0, turn = Promise.resolve(); turns < 4; turns++) turn = turn.then(() => write?.());
	});
	wanted.write = () => writer.write(pod, running);
	writer.write(pod, pending);
	await clock.advance(0);
	expect(server.pod("web")?.status).toEqual(running);
});
