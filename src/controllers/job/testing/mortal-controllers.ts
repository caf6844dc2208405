/**
 * Controllers on a real API server, in virtual time, that can be killed at any of their writes, with pods that
 * terminate by themselves.
 */
import { createApi } from "../../../api/handle.ts";
import type { Client, Transport } from "../../../client/client.ts";
import { createInformerCache } from "../../../client/informer.ts";
import { createClient } from "../../../client/requests.ts";
import { memoryTransport } from "../../../client/transports/memory.ts";
import { ApiError } from "../../../core/errors.ts";
import { timestamp } from "../../../core/time/clock.ts";
import { VirtualClock } from "../../../core/time/virtual-clock.ts";
import { catalog } from "../../../kinds/catalog.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import { serviceAccounts } from "../../../kinds/core/serviceaccount.ts";
import { createRegistry } from "../../../kinds/engine/registry.ts";
import type { Pod } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { createMemoryStore } from "../../../store/memory.ts";
import type { Controller } from "../../runtime/controller.ts";
import { startShell } from "../../runtime/shell.ts";

/** The number of the write at which they are killed, and whether it is stored. */
export interface Death {
	atWrite: number;
	stored: boolean;
}

export interface MortalControllers {
	client: Client;
	clock: VirtualClock;
	/** Whether the controllers have been killed. */
	killed(): boolean;
	stop(): Promise<void>;
}

const user = { name: "test", groups: ["system:masters", "system:authenticated"] };

/**
 * @param options.fails whether the nth pod to start fails
 * @param options.podMs how long a pod runs
 */
export async function startMortalControllers(options: {
	controllers: readonly Controller<unknown>[];
	death?: Death | undefined;
	fails?(nth: number): boolean;
	podMs?: number;
	startMs?: number;
}): Promise<MortalControllers> {
	const { death, controllers, startMs } = options;
	const clock = new VirtualClock({ seed: 7, ...(startMs === undefined ? {} : { startMs }) });
	const api = await createApi({
		store: createMemoryStore(),
		clock,
		registry: createRegistry(catalog),
		serviceCidr: "10.96.0.0/16",
	});
	const client = createClient(memoryTransport(api.handle, user), { clock });
	let writes = 0;
	let killed = false;
	let current: { stop(): Promise<void> } | undefined;

	function mortalTransport(): Transport {
		const transport = memoryTransport(api.handle, user);
		return {
			async send(request) {
				if (request.method === "GET" || ++writes !== death?.atWrite) return transport.send(request);
				killed = true;
				const dead = current;
				clock.after(0, () => void dead?.stop().then(live));
				if (death.stored) await transport.send(request);
				throw new ApiError("Timeout", "the answer was lost");
			},
			close: () => transport.close(),
		};
	}
	function live(): void {
		const own = createClient(mortalTransport(), { clock });
		const informers = createInformerCache(own, { clock });
		const shells = controllers.map((controller) => startShell(controller, { client: own, informers, clock }));
		current = {
			async stop() {
				await Promise.all(shells.map((shell) => shell.stop()));
				informers.close();
			},
		};
	}

	await client.create(namespaces, { metadata: { name: "default" }, spec: {} }).catch(() => undefined);
	await client.create(serviceAccounts, { metadata: { name: "default", namespace: "default" } });
	const kubelet = startKubelet(client, clock, options.fails ?? (() => false), options.podMs ?? 5000);
	live();
	return {
		client,
		clock,
		killed: () => killed,
		async stop() {
			await current?.stop();
			kubelet.close();
			await client.close();
			await api.close();
		},
	};
}

/** Terminates each pod some time after it started, without a node. */
function startKubelet(
	client: Client,
	clock: VirtualClock,
	fails: (nth: number) => boolean,
	podMs: number,
): { close(): void } {
	const informers = createInformerCache(client, { clock });
	let started = 0;
	informers.of(pods).onChange((pod, old) => {
		if (pod === undefined || old !== undefined) return;
		const nth = started++;
		clock.after(podMs, () => void end(pod, fails(nth)));
	});
	async function end(pod: Pod, failed: boolean): Promise<void> {
		const terminated = { exitCode: failed ? 1 : 0, finishedAt: timestamp(clock.now()) };
		const container = { name: "main", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated } };
		const { namespace, name, uid } = pod.metadata;
		const status = { phase: failed ? "Failed" : "Succeeded", containerStatuses: [container] };
		const patch = { metadata: { uid }, status };
		// Deleted in the meantime.
		await client.patch(pods, { namespace, name }, { type: "merge", patch }, "status").catch(() => undefined);
	}
	return { close: () => informers.close() };
}
