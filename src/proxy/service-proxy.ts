/** Keeps a node's service rules and routes up to date. */

import type { Informer, InformerCache } from "../client/informer-cache.ts";
import { sameJson } from "../core/equal.ts";
import { objectKey, parseKey } from "../core/object.ts";
import type { Clock, Timer } from "../core/time/clock.ts";
import { nodes } from "../kinds/core/node.ts";
import type { EndpointSlice, Node, Service } from "../kinds/generated/types.ts";
import { endpointSlices } from "../kinds/networking/endpointslice.ts";
import { services } from "../kinds/networking/service.ts";
import type { NodeNetwork, ServicePort } from "../network/network.ts";
import { indexSlices, serviceNameLabel, slicesOf } from "./dns-view.ts";
import { routesFrom } from "./routes.ts";
import { servicePorts } from "./rules.ts";

/** Changes are collected for this time before the rules are replaced: a rollout changes slices many times in a row. */
const gatherMs = 20;
const retryMs = 1000;

const zoneOf = (node: Node | undefined) => node?.metadata.labels?.["topology.kubernetes.io/zone"];

export interface ServiceProxyOptions {
	informers: InformerCache;
	network: NodeNetwork;
	clock: Clock;
	nodeName: string;
}

/** Resolves when the first rules are in place. */
export async function startServiceProxy(options: ServiceProxyOptions): Promise<{ stop(): void }> {
	const { informers, network, clock, nodeName } = options;
	const allServices: Informer<Service> = informers.of(services);
	const allSlices: Informer<EndpointSlice> = informers.of(endpointSlices);
	const allNodes = informers.of(nodes);
	indexSlices(allSlices);
	const ports = new Map<string, readonly ServicePort[]>();
	const dirty = new Set<string>();

	const servicesTask = new Task(clock, async () => {
		const keys = [...dirty];
		dirty.clear();
		let changed = false;
		for (const key of keys) changed = refresh(key) || changed;
		try {
			if (changed) await network.setServices([...ports.values()].flat());
		} catch (error) {
			for (const key of keys) {
				dirty.add(key);
				ports.delete(key);
			}
			throw error;
		}
	});
	/**
	 * Computes the ports of one service.
	 * @returns whether they have changed
	 */
	const refresh = (key: string): boolean => {
		const { namespace = "", name } = parseKey(key);
		const service = allServices.get(namespace, name);
		const before = ports.get(key) ?? [];
		const place = { nodeName, zone: zoneOf(allNodes.get(undefined, nodeName)) };
		const now = service === undefined ? [] : servicePorts(service, slicesOf(allSlices, namespace, name), place);
		if (now.length === 0) ports.delete(key);
		else ports.set(key, now);
		return !sameJson(before, now);
	};
	const routesTask = new Task(clock, () => network.setRoutes(routesFrom(allNodes.list(), nodeName)));
	const touch = (key: string) => {
		dirty.add(key);
		servicesTask.ask(gatherMs);
	};
	const subscriptions = [
		allServices.onChange((current, old) => touch(objectKey(current ?? old ?? { metadata: {} }))),
		allSlices.onChange((current, old) => {
			for (const slice of [current, old]) {
				const service = slice?.metadata.labels?.[serviceNameLabel];
				if (service !== undefined) touch(`${slice?.metadata.namespace}/${service}`);
			}
		}),
		allNodes.onChange((current, old) => {
			const route = (node: typeof current) =>
				JSON.stringify([...routesFrom(node === undefined ? [] : [node], nodeName)]);
			// Nodes write their status often; only their routes matter here.
			if (route(current) !== route(old)) routesTask.ask(gatherMs);
			const node = current ?? old;
			if (node?.metadata.name !== nodeName || zoneOf(current) === zoneOf(old)) return;
			for (const service of allServices.list()) touch(objectKey(service));
		}),
	];
	await informers.synced();
	await Promise.all([servicesTask.now(), routesTask.now()]);
	return {
		stop() {
			for (const unsubscribe of subscriptions) unsubscribe();
			servicesTask.stop();
			routesTask.stop();
		},
	};
}

/** Runs a function, one call at a time: once for all requests in the meantime, and again after a failure. */
class Task {
	readonly #clock: Clock;
	readonly #run: () => Promise<void>;
	#timer: Timer | undefined;
	#running: Promise<void> | undefined;
	#asked = false;
	#stopped = false;

	constructor(clock: Clock, run: () => Promise<void>) {
		this.#clock = clock;
		this.#run = run;
	}

	ask(delayMs: number): void {
		if (this.#stopped) return;
		if (this.#running !== undefined) {
			this.#asked = true;
			return;
		}
		this.#timer ??= this.#clock.after(delayMs, () => {
			this.#timer = undefined;
			this.now().catch(() => this.ask(retryMs));
		});
	}

	now(): Promise<void> {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#running ??= this.#run().finally(() => {
			this.#running = undefined;
			if (this.#asked) this.ask(gatherMs);
			this.#asked = false;
		});
		return this.#running;
	}

	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
	}
}
