/**
 * Jobs on a real API server, in virtual time, with pods that end by themselves. The controller is killed at every one of
 * its writes, before it is stored and after (the answer lost); a new one, with a new mirror, takes over each time.
 */
import { describe, expect, test } from "vitest";
import { createApi } from "../../api/handle.ts";
import type { Client, Transport } from "../../client/client.ts";
import { createMirror } from "../../client/informer.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transport-memory.ts";
import { timestamp } from "../../core/clock.ts";
import { ApiError } from "../../core/errors.ts";
import { VirtualClock } from "../../core/virtual-clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import type { Job, JobSpec, Pod } from "../../kinds/generated/types.ts";
import { jobs } from "../../kinds/job.ts";
import { namespaces } from "../../kinds/namespace.ts";
import { pods } from "../../kinds/pod.ts";
import { createRegistry } from "../../kinds/registry.ts";
import { serviceAccounts } from "../../kinds/serviceaccount.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { startShell } from "../shell.ts";
import { isJobFinished, isTrue } from "./conditions.ts";
import { jobController } from "./controller.ts";
import { IndexSet } from "./indexes.ts";
import { jobOrphanController } from "./orphans.ts";
import { indexOf, isTracked } from "./pods.ts";

/** Which write to die at, counted from the start of the whole run, and whether it is stored all the same. */
interface Death {
	atWrite: number;
	stored: boolean;
}

const user = { name: "test", groups: ["system:masters", "system:authenticated"] };
const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } };

/** Runs one job to its end. @param fails whether the nth pod to start fails */
async function run(spec: Omit<JobSpec, "template">, fails: (nth: number) => boolean, death: Death | undefined) {
	const clock = new VirtualClock({ seed: 7 });
	const api = await createApi({ store: createMemoryStore(), clock, registry: createRegistry(catalog) });
	const client = createClient(memoryTransport(api.handle, user), { clock });
	let writes = 0;
	let killed = false;
	const mortal = (kill: () => void): Transport => {
		const transport = memoryTransport(api.handle, user);
		return {
			...transport,
			async send(request) {
				if (request.method === "GET") return transport.send(request);
				if (++writes !== death?.atWrite) return transport.send(request);
				killed = true;
				kill();
				if (death.stored) await transport.send(request);
				throw new ApiError("Timeout", "the answer was lost");
			},
			close: () => transport.close(),
		};
	};
	let current: { stop(): Promise<void> } | undefined;
	const live = () => {
		const own: Client = createClient(mortal(restart), { clock });
		const mirror = createMirror(own, { clock });
		const shells = [jobController, jobOrphanController].map((controller) =>
			startShell<never>(controller as never, { client: own, mirror, clock }),
		);
		current = {
			async stop() {
				await Promise.all(shells.map((shell) => shell.stop()));
				mirror.close();
			},
		};
	};
	function restart(): void {
		const dead = current;
		clock.after(0, () => void dead?.stop().then(live));
	}

	const kubelet = startKubelet(client, clock, fails);
	await client.create(namespaces, { metadata: { name: "default" }, spec: {} }).catch(() => undefined);
	await client.create(serviceAccounts, { metadata: { name: "default", namespace: "default" } });
	live();
	await client.create(jobs, { metadata: { name: "pi", namespace: "default" }, spec: { ...spec, template } });
	for (let minute = 0; minute < 120; minute++) {
		await clock.advance(60_000);
		if (isJobFinished(await client.get(jobs, { namespace: "default", name: "pi" }))) break;
	}
	await clock.advance(60_000);
	const job = await client.get(jobs, { namespace: "default", name: "pi" });
	const left = (await client.list(pods, { namespace: "default" })).items;
	await current?.stop();
	kubelet.close();
	await client.close();
	await api.close();
	return { job, pods: left, writes, killed };
}

/** Ends each pod five seconds after it began, without a node. */
function startKubelet(client: Client, clock: VirtualClock, fails: (nth: number) => boolean): { close(): void } {
	const mirror = createMirror(client, { clock });
	let started = 0;
	mirror.of(pods).onChange((pod, old) => {
		if (pod === undefined || old !== undefined) return;
		const nth = started++;
		clock.after(5000, () => void end(pod, nth));
	});
	async function end(pod: Pod, nth: number): Promise<void> {
		const phase = fails(nth) ? "Failed" : "Succeeded";
		const terminated = { exitCode: fails(nth) ? 1 : 0, finishedAt: timestamp(clock.now()) };
		const status = { name: "main", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated } };
		const { namespace, name, uid } = pod.metadata;
		const patch = { metadata: { uid }, status: { phase, containerStatuses: [status] } };
		await client.patch(pods, { namespace, name }, { type: "merge", patch }, "status").catch(() => undefined);
	}
	return { close: () => mirror.close() };
}

/** What must hold at the end of a job that succeeds, whatever happened on the way. */
function check(job: Job, left: readonly Pod[], expected: { succeeded: number; indexed?: true }): void {
	const { status } = job;
	expect(isTrue(job, "Complete")).toBe(true);
	expect(status?.succeeded).toBe(expected.succeeded);
	expect(status?.uncountedTerminatedPods).toEqual({});
	expect([status?.active, status?.terminating, status?.ready]).toEqual([undefined, 0, 0]);
	expect(left.filter(isTracked)).toEqual([]);
	const succeeded = left.filter((pod) => pod.status?.phase === "Succeeded");
	if (expected.indexed) {
		const indexes = IndexSet.of(succeeded.map((pod) => indexOf(pod) ?? -1));
		expect(status?.completedIndexes).toBe(indexes.toString());
	} else expect(succeeded.length).toBe(expected.succeeded);
	expect(status?.failed ?? 0).toBe(left.filter((pod) => pod.status?.phase === "Failed").length);
}

const scenarios: { name: string; spec: Omit<JobSpec, "template">; fails(nth: number): boolean; indexed?: true }[] = [
	{ name: "one pod", spec: {}, fails: () => false },
	{
		name: "five in turns of two, some failing",
		spec: { completions: 5, parallelism: 2 },
		fails: (nth) => nth % 3 === 1,
	},
	{
		name: "indexed, each with failures of its own",
		spec: { completionMode: "Indexed", completions: 3, parallelism: 3, backoffLimitPerIndex: 3 },
		fails: (nth) => nth % 4 === 0,
		indexed: true,
	},
];

describe.each(scenarios)("job with $name", ({ spec, fails, indexed }) => {
	const expected = { succeeded: spec.completions ?? 1, ...(indexed ? { indexed } : {}) };

	test("completes", async () => {
		const { job, pods: left } = await run(spec, fails, undefined);
		check(job, left, expected);
	});

	test.each([false, true])("counts every end once, killed at any write (stored: %s)", async (stored) => {
		for (let atWrite = 1; ; atWrite++) {
			const { job, pods: left, killed } = await run(spec, fails, { atWrite, stored });
			if (!killed) {
				expect(atWrite).toBeGreaterThan(4);
				break;
			}
			try {
				check(job, left, expected);
			} catch (error) {
				throw new Error(`killed at write ${atWrite}: ${JSON.stringify(job.status)}`, { cause: error });
			}
		}
	});
});
