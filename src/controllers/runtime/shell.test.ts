import { expect, test } from "vitest";
import { createEventRecorder } from "../../client/events/recorder.ts";
import { createInformerCache } from "../../client/informer.ts";
import { createClient } from "../../client/requests.ts";
import { ToyServer } from "../../client/testing/toy-server.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import { controllerOf, controllerReference } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { ConfigMap, Secret } from "../../kinds/generated/types.ts";
import { create, remove, update } from "./actions.ts";
import { type Controller, watchRule } from "./controller.ts";
import { type Shell, startShell } from "./shell.ts";

const user: User = { name: "test", groups: [] };

/** Keeps as many Secrets for a ConfigMap as its data says. */
interface ToyState {
	owner: ConfigMap;
	owned: Secret[];
}

const toy: Controller<ToyState> = {
	name: "toy",
	component: "toy-controller",
	watches: [
		watchRule(configMaps, (current, old) => {
			const object = current ?? old;
			return object === undefined ? [] : [`default/${object.metadata.name}`];
		}),
		watchRule(secrets, (current, old) => {
			const owner = controllerOf(current ?? old ?? { metadata: {} });
			return owner === undefined ? [] : [`default/${owner.name}`];
		}),
	],
	gather(key, informers) {
		const owner = informers.of(configMaps).get("default", key.slice("default/".length));
		return owner && { owner, owned: [...informers.of(secrets).controlledBy(owner.metadata.uid)] };
	},
	plan({ owner, owned }) {
		const wanted = Number(owner.data?.["count"]);
		const reference = controllerReference(owner);
		const event = { regarding: owner, type: "Normal", reason: "Created", message: "made {name}" } as const;
		const missing = Array.from({ length: Math.max(wanted - owned.length, 0) }, () =>
			create(
				secrets,
				{ metadata: { generateName: "s-", namespace: "default", ownerReferences: [reference] } },
				{ event },
			),
		);
		const surplus = owned.slice(wanted).map((object) => remove(secrets, object));
		return { actions: [...missing, ...surplus] };
	},
};

async function simulate(seed: number): Promise<{ peak: number; end: number; trace: string }> {
	const clock = new VirtualClock({ seed });
	const server = new ToyServer(clock, {
		writeDelayMs: 40,
		watchDelayMs: 60,
		lostAnswers: 0.15,
		refusals: 0.05,
		brokenWatches: 0.1,
	});
	const client = createClient(memoryTransport(server.handle, user));
	const informers = createInformerCache(client, { clock });
	let shell: Shell = startShell(toy, { client, informers, clock });
	// The response may be lost, although the write happened; or the write is refused and retried.
	for (let made = false; !made; ) {
		const creating = client.create(configMaps, {
			metadata: { name: "web", namespace: "default" },
			data: { count: "5" },
		});
		creating.catch(() => {});
		await clock.advance(50);
		made = server.of("configmaps").length > 0;
	}
	let peak = 0;
	const trace: string[] = [];
	for (let step = 0; step < 60; step++) {
		await clock.advance(20);
		const count = server.of("secrets").length;
		peak = Math.max(peak, count);
		trace.push(`${server.revision}:${count}`);
		if (step === 7 || step === 15) {
			const stopping = shell.stop();
			await clock.advance(100);
			await stopping;
			shell = startShell(toy, { client, informers, clock });
		}
	}
	server.faults = {};
	await clock.advance(120_000);
	const end = server.of("secrets").length;
	await shell.stop();
	informers.close();
	return { peak: Math.max(peak, end), end, trace: trace.join() };
}

test("a shell never acts twice on what it has not seen, whatever is late, lost or restarted", async () => {
	for (let seed = 1; seed <= 200; seed++) {
		const { peak, end } = await simulate(seed);
		expect([peak, end], `seed ${seed}`).toEqual([5, 5]);
	}
});

test("a simulated run replays from its seed", async () => {
	expect((await simulate(7)).trace).toBe((await simulate(7)).trace);
});

function setUp() {
	const clock = new VirtualClock();
	const server = new ToyServer(clock);
	const client = createClient(memoryTransport(server.handle, user));
	const informers = createInformerCache(client, { clock });
	return { clock, server, client, informers };
}

test("a run of creates goes out in batches of 1, 2, 4, and stops at the first failure", async () => {
	const { clock, server, client, informers } = setUp();
	server.faults = { writeDelayMs: 10 };
	const counts: number[] = [];
	const shell = startShell(toy, { client, informers, clock });
	const creating = client.create(configMaps, { metadata: { name: "web", namespace: "default" }, data: { count: "7" } });
	for (let step = 0; step < 100; step++) {
		await clock.advance(1);
		counts.push(server.of("secrets").length);
	}
	await creating;
	expect(counts.at(-1)).toBe(7);
	const before = counts.findIndex((count) => count > 1);
	expect(counts[before - 1]).toBe(1);
	await shell.stop();
	informers.close();
});

test("a plan made from an outdated object is made again at once when the informer cache has caught up", async () => {
	const { clock, server, client, informers } = setUp();
	server.faults = { watchDelayMs: 30 };
	const errors: unknown[] = [];
	const marker: Controller<ConfigMap> = {
		name: "marker",
		component: "marker",
		watches: [watchRule(configMaps, (current) => (current === undefined ? [] : [current.metadata.name]))],
		gather: (key, from) => from.of(configMaps).get("default", key),
		plan: (object) => ({
			actions: object.data?.["marked"]
				? []
				: [update(configMaps, { ...object, data: { ...object.data, marked: "yes" } })],
		}),
	};
	const made = await Promise.all([
		client.create(configMaps, { metadata: { name: "web", namespace: "default" } }),
		clock.advance(0),
	]).then(([object]) => object);
	const shell = startShell(marker, { client, informers, clock, onError: (error) => errors.push(error) });
	await clock.advance(0);
	await client
		.update(configMaps, { ...made, metadata: { ...made.metadata, labels: { changed: "yes" } } })
		.catch(() => {});
	await clock.advance(400);
	const end = server.of("configmaps")[0] as ConfigMap | undefined;
	expect(end?.data?.["marked"]).toBe("yes");
	expect(shell.idle).toBe(true);
	await shell.stop();
	informers.close();
});

/** Fails whenever it plans for a ConfigMap, and records the time. */
function failing(clock: Clock): { times: number[]; controller: Controller<ConfigMap> } {
	const times: number[] = [];
	const controller: Controller<ConfigMap> = {
		...toy,
		name: "failing",
		gather: (key, from) => from.of(configMaps).get("default", key.slice("default/".length)),
		plan() {
			times.push(clock.monotonicMs());
			throw new Error("broken");
		},
	};
	return { times, controller };
}

test("a failing key is tried again after 5 ms, doubled each time", async () => {
	const { clock, client, informers } = setUp();
	const { times, controller } = failing(clock);
	const shell = startShell(controller, { client, informers, clock });
	const creating = client.create(configMaps, { metadata: { name: "web", namespace: "default" } });
	await clock.advance(3_600_000);
	await creating;
	const waits = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / Math.min(5 * 2 ** index, 1_000_000));
	expect(waits.length).toBeGreaterThan(15);
	for (const wait of waits) expect(wait).toSatisfy((factor: number) => factor >= 0.75 && factor <= 1.25);
	await shell.stop();
	informers.close();
});

test("changes lead to attempts at once, and neither put off the next attempt after a failure nor lengthen the wait for it", async () => {
	const { clock, client, informers } = setUp();
	const { times, controller } = failing(clock);
	const shell = startShell(controller, { client, informers, clock });
	const creating = client.create(configMaps, { metadata: { name: "web", namespace: "default" } });
	// Ten failures: the next attempt is due 2560 ms later, give or take a quarter.
	while (times.length < 10) await clock.advance(1);
	await creating;
	const lastMs = times.at(-1) ?? 0;
	for (let change = 1; change <= 15; change++) {
		const patch = { data: { change: String(change) } };
		const patching = client.patch(configMaps, { namespace: "default", name: "web" }, { type: "merge", patch });
		await clock.advance(100);
		await patching;
	}
	expect(times.length).toBe(10 + 15);
	while (times.length < 27) await clock.advance(1);
	const [dueMs = 0, afterMs = 0] = times.slice(-2);
	expect((dueMs - lastMs) / 2560).toSatisfy((factor: number) => factor >= 0.75 && factor <= 1.26);
	expect((afterMs - dueMs) / 5120).toSatisfy((factor: number) => factor >= 0.75 && factor <= 1.26);
	await shell.stop();
	informers.close();
});

/** A clock that shows a different time from the one it runs by. */
function settable(inner: Clock): Clock & { offsetMs: number } {
	const clock = {
		offsetMs: 0,
		random: inner.random,
		now: () => inner.now() + clock.offsetMs,
		monotonicMs: () => inner.monotonicMs(),
		after: inner.after.bind(inner),
		sleep: inner.sleep.bind(inner),
	};
	return clock;
}

test("changes gather for no longer when the clock is set back", async () => {
	const { clock: inner, client, informers } = setUp();
	const clock = settable(inner);
	const seen: (string | undefined)[] = [];
	const gatherer: Controller<ConfigMap> = {
		...toy,
		name: "gatherer",
		coalesceMs: () => 100,
		gather: (key, from) => from.of(configMaps).get("default", key.slice("default/".length)),
		plan(object) {
			seen.push(object.data?.["change"]);
			return { actions: [] };
		},
	};
	const shell = startShell(gatherer, { client, informers, clock });
	const creating = client.create(configMaps, { metadata: { name: "web", namespace: "default" } });
	await inner.advance(10);
	await creating;
	clock.offsetMs = -3_600_000;
	for (const change of ["1", "2"]) {
		const patch = { data: { change } };
		const patching = client.patch(configMaps, { namespace: "default", name: "web" }, { type: "merge", patch });
		await inner.advance(10);
		await patching;
	}
	expect(seen).toEqual([undefined]);
	await inner.advance(100);
	expect(seen).toEqual([undefined, "2"]);
	await shell.stop();
	informers.close();
});

test("events that repeat raise a count, and one object can only make so many", async () => {
	const { clock, server, client } = setUp();
	const recorder = createEventRecorder(client, { clock });
	const regarding = { kind: "Pod", apiVersion: "v1", namespace: "default", name: "web-0", uid: "u" };
	const base = { regarding, type: "Normal", reason: "Pulled", component: "kubelet", host: "node-1" } as const;
	for (let turn = 0; turn < 5; turn++) {
		recorder.record({ ...base, message: "already present" });
		await clock.advance(1000);
	}
	const [event] = server.of("events") as unknown as { count: number; metadata: { name: string } }[];
	expect(event?.count).toBe(5);
	expect(event?.metadata.name).toMatch(/^web-0\.[0-9a-f]{16}$/);
	for (let turn = 0; turn < 100; turn++) recorder.record({ ...base, message: `message ${turn}` });
	await clock.advance(1000);
	expect(server.of("events").length).toBeLessThanOrEqual(11);
	expect(JSON.stringify(server.of("events").at(-1))).toContain("(combined from similar events): ");
	await recorder.flush();
});

test("a create in a namespace that is being deleted is no failure, and tells no event", async () => {
	const { clock, server, informers } = setUp();
	const details = { causes: [{ reason: "NamespaceTerminating", message: "it goes", field: "metadata.namespace" }] };
	const client = createClient(
		memoryTransport((request) => {
			const isCreate = request.method === "POST" && request.path.endsWith("/secrets");
			if (isCreate) throw new ApiError("Forbidden", "it is being terminated", details);
			return server.handle(request);
		}, user),
	);
	const told: string[] = [];
	const failures: unknown[] = [];
	const shell = startShell(
		{
			...toy,
			plan({ owner }) {
				const failureEvent = { regarding: owner, type: "Warning", reason: "FailedCreate", message: "{error}" } as const;
				const draft = { metadata: { generateName: "s-", namespace: "default" } };
				const labelled = { ...owner, metadata: { ...owner.metadata, labels: { seen: "yes" } } };
				if (owner.metadata.labels !== undefined) return { actions: [] };
				return { actions: [create(secrets, draft, { failureEvent }), update(configMaps, labelled)] };
			},
		},
		{
			client,
			informers,
			clock,
			recorder: { record: ({ reason }) => void told.push(reason), flush: async () => {} },
			onError: (error) => failures.push(error),
		},
	);
	const creating = client.create(configMaps, { metadata: { name: "web", namespace: "default" } });
	await clock.advance(5000);
	expect((await creating).metadata.name).toBe("web");
	expect(informers.of(configMaps).get("default", "web")?.metadata.labels).toEqual({ seen: "yes" });
	expect([told, failures, shell.idle]).toEqual([[], [], true]);
	await shell.stop();
	informers.close();
});

test("patience is measured by the clock that nobody sets, from the first plan that asked for it", async () => {
	const { clock: inner, client, informers } = setUp();
	const clock = settable(inner);
	const waits: number[] = [];
	const times: number[] = [];
	const patient: Controller<ConfigMap> = {
		...toy,
		name: "patient",
		gather: (key, from) => from.of(configMaps).get("default", key.slice("default/".length)),
		plan(_, { waitedMs }) {
			waits.push(waitedMs);
			times.push(inner.monotonicMs());
			return { actions: [], ...(waitedMs < 1000 ? { requeueAfterMs: 1000 - waitedMs } : {}) };
		},
	};
	const shell = startShell(patient, { client, informers, clock });
	const change = async (patch: object) => {
		const patching = client.patch(configMaps, { namespace: "default", name: "web" }, { type: "merge", patch });
		await inner.advance(10);
		await patching;
	};
	const creating = client.create(configMaps, { metadata: { name: "web", namespace: "default" } });
	await inner.advance(400);
	await creating;
	clock.offsetMs = -3_600_000;
	await change({ data: { change: "1" } });
	await inner.advance(700);
	const [firstMs = 0, secondMs = 0] = times;
	expect(waits).toEqual([0, secondMs - firstMs, 1000]);
	expect(times[2]).toBe(firstMs + 1000);
	// The last plan requested none.
	await change({ data: { change: "2" } });
	expect(waits.slice(3)).toEqual([0]);
	await shell.stop();
	informers.close();
});

test("a plan's memory is given to the next plan of its key, and lost when there is nothing left to do for it", async () => {
	const { clock, client, informers } = setUp();
	const given: unknown[] = [];
	const counting: Controller<ConfigMap, number> = {
		...toy,
		name: "counting",
		gather: (key, from) => from.of(configMaps).get("default", key.slice("default/".length)),
		plan(_, { memory = 0 }) {
			given.push(memory);
			return { actions: [], memory: memory + 1 };
		},
	};
	const shell = startShell(counting, { client, informers, clock });
	const ref = { namespace: "default", name: "web" };
	const steps = [
		() => client.create(configMaps, { metadata: ref }),
		() => client.patch(configMaps, ref, { type: "merge", patch: { data: { change: "1" } } }),
		() => client.create(configMaps, { metadata: { ...ref, name: "other" } }),
		() => client.delete(configMaps, ref),
		() => client.create(configMaps, { metadata: ref }),
	];
	for (const step of steps) {
		const done = step();
		await clock.advance(100);
		await done;
	}
	expect(given).toEqual([0, 1, 0, 0]);
	await shell.stop();
	informers.close();
});
