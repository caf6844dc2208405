/**
 * A control plane in virtual time: the real API server on a memory store, selected controllers, and nodes that
 * only simulate pods.
 */

import { type Api, createApi } from "../../src/api/handle.ts";
import type { Client, Transport } from "../../src/client/client.ts";
import { createEventRecorder } from "../../src/client/events/recorder.ts";
import { createInformerCache } from "../../src/client/informer.ts";
import type { InformerCache } from "../../src/client/informer-cache.ts";
import { createClient } from "../../src/client/requests.ts";
import { memoryTransport } from "../../src/client/transports/memory.ts";
import { targetNode } from "../../src/controllers/daemonset/placement.ts";
import type { Controller } from "../../src/controllers/runtime/controller.ts";
import { type Shell, startShell } from "../../src/controllers/runtime/shell.ts";
import { ApiError, isReason } from "../../src/core/errors.ts";
import { timestamp } from "../../src/core/time/clock.ts";
import { VirtualClock } from "../../src/core/time/virtual-clock.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { namespaces } from "../../src/kinds/core/namespace.ts";
import { nodes } from "../../src/kinds/core/node.ts";
import { serviceAccounts } from "../../src/kinds/core/serviceaccount.ts";
import { createRegistry } from "../../src/kinds/engine/registry.ts";
import type { Pod } from "../../src/kinds/generated/types.ts";
import { pods } from "../../src/kinds/pod/pod.ts";
import { isReady } from "../../src/kinds/pod/pod-lifecycle.ts";
import { createMemoryStore } from "../../src/store/memory.ts";

export interface PodBehaviour {
	/** Milliseconds from creation to readiness; undefined: never ready. */
	readyMs(pod: Pod): number | undefined;
	/** Milliseconds from deletion to disappearance. */
	goneMs(pod: Pod): number;
}

export interface World {
	api: Api;
	clock: VirtualClock;
	client: Client;
	informers: InformerCache;
	shells: readonly Shell[];
	errors: unknown[];
	/** A patch by a user, who repeats it after a conflict. */
	patch: Client["patch"];
	/** Pods as a kubelet would see them, by namespace/name. */
	pods(): Pod[];
	/** Called with all pods after every change of a pod. An error ends the test. */
	onPods(check: (pods: Pod[]) => void): void;
	/** Lets time pass until the condition holds. Fails after ten simulated minutes. */
	until(what: string, condition: () => boolean): Promise<void>;
	close(): Promise<void>;
}

// Controllers of different states start the same way.
// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyController = Controller<any>;

export async function createWorld(
	controllers: readonly AnyController[],
	options: {
		nodeCount?: number;
		seed?: number;
		behaviour?: Partial<PodBehaviour>;
		/** Share of the controllers' writes that are refused, and of those whose answer is lost. */
		faults?: number;
	} = {},
): Promise<World> {
	const clock = new VirtualClock({ seed: options.seed ?? 1 });
	const api = await createApi({
		store: createMemoryStore(),
		clock,
		registry: createRegistry(catalog),
		serviceCidr: "10.96.0.0/16",
	});
	const user = { name: "admin", groups: ["system:masters", "system:authenticated"] };
	const client = createClient(memoryTransport(api.handle, user));
	const informers = createInformerCache(client, { clock });
	const errors: unknown[] = [];
	await client.create(namespaces, { metadata: { name: "default" }, spec: {} });
	await client.create(serviceAccounts, { metadata: { namespace: "default", name: "default" } });
	for (let index = 0; index < (options.nodeCount ?? 3); index++) {
		const name = `node-${index}`;
		const node = await client.create(nodes, {
			metadata: { name, labels: { "kubernetes.io/hostname": name } },
			spec: {},
		});
		const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "" };
		await client.updateStatus(nodes, { ...node, status: { conditions: [ready] } });
	}
	runPods(client, informers, clock, options.nodeCount ?? 3, options.behaviour ?? {}, errors);
	const recorder = createEventRecorder(client, { clock });
	const shaky = createClient(faulty(memoryTransport(api.handle, user), clock, options.faults ?? 0));
	const shells = controllers.map((controller) =>
		startShell(controller, { client: shaky, informers, clock, recorder, onError: (error) => errors.push(error) }),
	);
	await informers.synced();
	const violations: unknown[] = [];
	const list = () => [...informers.of(pods).list()];
	return {
		api,
		clock,
		client,
		informers,
		shells,
		errors,
		async patch(...change) {
			for (let attempt = 1; ; attempt++) {
				try {
					return await client.patch(...change);
				} catch (error) {
					if (attempt === 5 || !isReason(error, "Conflict")) throw error;
				}
			}
		},
		pods: list,
		onPods: (check) => {
			informers.of(pods).onChange(() => {
				try {
					check(list());
				} catch (error) {
					violations.push(error);
				}
			});
		},
		async until(what, condition) {
			const endMs = clock.now() + 600_000;
			await clock.advance(0);
			if (violations.length > 0) throw violations[0];
			while (!condition()) {
				if (clock.now() >= endMs) throw new Error(`ten minutes later still not: ${what}; last error: ${errors.at(-1)}`);
				await clock.advance(50);
				if (violations.length > 0) throw violations[0];
			}
		},
		async close() {
			await Promise.all(shells.map((shell) => shell.stop()));
			informers.close();
			await api.close();
		},
	};
}

/** A transport that sometimes rejects a write, and sometimes loses its response. */
function faulty(transport: Transport, clock: VirtualClock, share: number): Transport {
	return {
		async send(request) {
			const writes = request.method !== "GET";
			if (writes && clock.random() < share) throw new ApiError("ServiceUnavailable", "refused by chance");
			const response = await transport.send(request);
			if (writes && clock.random() < share) throw new ApiError("Timeout", "lost by chance");
			return response;
		},
		close: () => transport.close(),
	};
}

/** Scheduler and kubelets: binds pods, makes them ready after a delay, and removes deleted ones. */
function runPods(
	client: Client,
	informers: InformerCache,
	clock: VirtualClock,
	nodeCount: number,
	behaviour: Partial<PodBehaviour>,
	errors: unknown[],
): void {
	const seen = new Set<string>();
	const leaving = new Set<string>();
	let next = 0;
	const attempt = (work: () => Promise<unknown>) => {
		work().catch((error: unknown) => {
			if (!isReason(error, "NotFound", "Conflict")) errors.push(error);
		});
	};
	const start = (pod: Pod) => {
		const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name };
		const target = { apiVersion: "v1", kind: "Node", name: targetNode(pod) || `node-${next++ % nodeCount}` };
		attempt(() => client.createSubresource(pods, ref, "binding", { metadata: { name: ref.name }, target }));
		const readyMs = behaviour.readyMs === undefined ? 100 + clock.random() * 400 : behaviour.readyMs(pod);
		clock.after((readyMs ?? 0) + 10, () => {
			const now = timestamp(clock.now());
			const status = readyMs === undefined ? "False" : "True";
			const conditions = [{ type: "Ready", status, lastTransitionTime: now }];
			const patch = { metadata: { uid: pod.metadata.uid }, status: { phase: "Running", conditions } };
			attempt(() => client.patch(pods, ref, { type: "merge", patch }, "status"));
		});
	};
	const end = (pod: Pod) => {
		const ref = { namespace: pod.metadata.namespace, name: pod.metadata.name };
		const { uid } = pod.metadata;
		clock.after(behaviour.goneMs?.(pod) ?? 50 + clock.random() * 200, () =>
			attempt(() => client.delete(pods, ref, { gracePeriodSeconds: 0, preconditions: { uid } })),
		);
	};
	informers.of(pods).onChange((pod) => {
		if (pod === undefined) return;
		const { uid, deletionTimestamp } = pod.metadata;
		if (deletionTimestamp === undefined && !seen.has(uid)) {
			seen.add(uid);
			start(pod);
		}
		if (deletionTimestamp !== undefined && !leaving.has(uid)) {
			leaving.add(uid);
			end(pod);
		}
	});
}

/** Available pods: ready and not terminating. */
export function serving(all: readonly Pod[]): Pod[] {
	return all.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
}
