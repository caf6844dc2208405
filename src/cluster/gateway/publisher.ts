/**
 * Keeps the machine's ports open that node ports, host ports and load balancers need, as long as they need them. It is
 * also what serves Services of type LoadBalancer.
 */
import type { InformerCache } from "../../client/informer-cache.ts";
import {
	AddressBook,
	type Balancer,
	type BalancerState,
	wantsBalancer,
} from "../../controllers/service-load-balancer/balancer.ts";
import { sameJson } from "../../core/equal.ts";
import { messageOf } from "../../core/errors.ts";
import { inTurn } from "../../core/in-turn.ts";
import { objectKey } from "../../core/object.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Pod, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { indexSlices, serviceNameLabel, slicesOf } from "../../proxy/dns-view.ts";
import { type Published, type PublishedPort, publishedPorts } from "../../proxy/gateway/published-ports.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { type PublishAddresses, publishAddresses } from "./publish-address.ts";

/** Changes are collected for this time. */
const gatherMs = 20;
/** Nothing tells when a port becomes free. */
const retryMs = 3_000;
/** After the end of the gateway process. */
const reopenMs = 500;

const published = "published";

export interface PublisherOptions {
	/** Of `cox up --publish`. */
	publish: string;
	clock: Clock;
}

export interface PublisherParts {
	informers: InformerCache;
	/** The command that enters the network of the switch. */
	enter(): Promise<readonly [string, ...string[]]>;
	/** The cluster's data directory. */
	data: string;
}

interface OpenPort {
	port: PublishedPort;
	state: "opening" | "open" | { problem: string };
}

export class Publisher implements Balancer {
	readonly #options: PublisherOptions;
	readonly #ports = new Map<string, OpenPort>();
	/** One at a time: a port may be closed and opened again at once. */
	readonly #oneAtATime = inTurn();
	readonly #listeners = new Set<(key: string) => void>();
	readonly #told = new Map<string, string>();
	#balancers: Published["balancers"] = new Map();
	#started: { informers: InformerCache; gateway: GatewayProcess; addresses: PublishAddresses } | undefined;
	#book: AddressBook | undefined;
	#unsubscribe: (() => void)[] = [];
	#timer: Timer | undefined;
	#stopped = false;

	constructor(options: PublisherOptions) {
		this.#options = options;
	}

	start({ informers, enter, data }: PublisherParts): void {
		const addresses = publishAddresses(this.#options.publish, data);
		const gateway = new GatewayProcess({ enter, data, onEnd: () => this.#reopen() });
		this.#started = { informers, gateway, addresses };
		if (addresses.first !== undefined) this.#book = new AddressBook(addresses.first);
		const [allServices, allSlices, allPods] = [
			informers.of(services),
			informers.of(endpointSlices),
			informers.of(pods),
		];
		indexSlices(allSlices);
		allServices.addIndex(published, (service) => (isPublished(service) ? [published] : []));
		allPods.addIndex(published, (pod) => (hasHostPorts(pod) ? [published] : []));
		this.#unsubscribe = [
			allServices.onChange((current, old) => {
				if (isPublished(current) || isPublished(old)) this.#touch(gatherMs);
			}),
			allSlices.onChange((current, old) => {
				const { namespace, labels } = (current ?? old)?.metadata ?? {};
				if (isPublished(allServices.get(namespace, labels?.[serviceNameLabel] ?? ""))) this.#touch(gatherMs);
			}),
			allPods.onChange((current, old) => {
				if (hasHostPorts(current) || hasHostPorts(old)) this.#touch(gatherMs);
			}),
		];
		void Promise.all([allServices.reached(0), allSlices.reached(0), allPods.reached(0)]).then(
			() => this.#touch(0),
			() => {},
		);
	}

	state(service: Service): BalancerState | undefined {
		const wanted = this.#balancers.get(objectKey(service));
		if (wanted === undefined || "problem" in wanted) return wanted;
		let isOpen = true;
		for (const key of wanted.ports) {
			const state = this.#ports.get(key)?.state;
			if (typeof state === "object") return state;
			isOpen &&= state === "open";
		}
		return isOpen ? { address: this.#started?.addresses.shown ?? wanted.address } : undefined;
	}

	onChange(changed: (key: string) => void): () => void {
		this.#listeners.add(changed);
		return () => this.#listeners.delete(changed);
	}

	/** Ports that are not open, one sentence each. */
	get warnings(): string[] {
		return [...this.#ports.values()].flatMap(({ port, state }) =>
			typeof state === "object" ? [`${port.purpose}: ${state.problem}`] : [],
		);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#timer?.cancel();
		for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
		await this.#started?.gateway.stop();
	}

	#touch(delayMs: number): void {
		if (this.#stopped) return;
		this.#timer ??= this.#options.clock.after(delayMs, () => {
			this.#timer = undefined;
			this.#refresh();
		});
	}

	#refresh(): void {
		if (this.#started === undefined || this.#stopped) return;
		const { informers, gateway, addresses } = this.#started;
		const all = informers.of(services);
		const { ports, balancers } = publishedPorts({
			services: all.byIndex(published, published),
			slicesOf: ({ metadata: { namespace = "", name } }) => slicesOf(informers.of(endpointSlices), namespace, name),
			pods: informers.of(pods).byIndex(published, published),
			address: addresses.address,
			balancerAddress: (service) => {
				if (!wantsBalancer(service)) return undefined;
				return this.#book === undefined ? addresses.address : this.#book.addressOf(service, all.list());
			},
		});
		for (const key of this.#ports.keys()) {
			if (ports.has(key)) continue;
			this.#ports.delete(key);
			gateway.close(key);
		}
		for (const [key, port] of ports) {
			const known = this.#ports.get(key);
			if (known === undefined) this.#ports.set(key, this.#opening(port));
			else {
				if (known.state === "open" && !sameJson(known.port.target, port.target)) gateway.aim(key, port.target);
				known.port = port;
			}
		}
		if (this.#ports.size === 0) void this.#oneAtATime(async () => this.#ports.size === 0 && gateway.stop());
		this.#balancers = balancers;
		this.#tell();
	}

	#opening(port: PublishedPort): OpenPort {
		const open: OpenPort = { port, state: "opening" };
		void this.#oneAtATime(() => this.#openPort(open));
		return open;
	}

	async #openPort(open: OpenPort): Promise<void> {
		const { key } = open.port;
		const isWanted = () => this.#ports.get(key) === open && !this.#stopped;
		const gateway = this.#started?.gateway;
		if (gateway === undefined || !isWanted()) return;
		const { target } = open.port;
		try {
			await gateway.open(open.port);
			open.state = "open";
			if (!isWanted()) gateway.close(key);
			else if (open.port.target !== target) gateway.aim(key, open.port.target);
		} catch (error) {
			open.state = { problem: messageOf(error) };
			this.#options.clock.after(retryMs, () => {
				if (isWanted()) void this.#oneAtATime(() => this.#openPort(open));
			});
		}
		this.#tell();
	}

	/** The gateway has ended: everything is opened again, by another one. */
	#reopen(): void {
		this.#ports.clear();
		this.#touch(reopenMs);
	}

	#tell(): void {
		for (const key of new Set([...this.#told.keys(), ...this.#balancers.keys()])) {
			const [namespace, name] = key.split("/");
			const service = this.#started?.informers.of(services).get(namespace, name ?? "");
			const state = service === undefined ? "" : (JSON.stringify(this.state(service)) ?? "");
			if (this.#told.get(key) === state) continue;
			if (service === undefined) this.#told.delete(key);
			else this.#told.set(key, state);
			for (const listener of this.#listeners) listener(key);
		}
	}
}

function isPublished(service: Service | undefined): boolean {
	const { metadata, spec } = service ?? {};
	if (metadata === undefined || metadata.deletionTimestamp !== undefined) return false;
	return spec?.type === "NodePort" || spec?.type === "LoadBalancer";
}

function hasHostPorts(pod: Pod | undefined): boolean {
	return pod?.spec.containers.some(({ ports = [] }) => ports.some(({ hostPort = 0 }) => hostPort !== 0)) === true;
}
