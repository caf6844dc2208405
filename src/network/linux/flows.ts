/**
 * UDP has no end of a connection, so the kernel keeps sending a client's packets to an endpoint, even after it was
 * removed. Each UDP service therefore tracks its connections in a zone of its own, and switches to a new zone when it
 * loses an endpoint, which invalidates the entries of the old one. Responses are matched in the default zone by the
 * endpoint's address. The zone of a host port follows from the address of its pod.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { parseIPv4 } from "../../core/addresses.ts";
import { inTurn } from "../../core/in-turn.ts";
import { CommandError } from "../../linux/command.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import type { ServicePort } from "../network.ts";
import type { HostPort } from "./rules.ts";

export interface FlowZones {
	/** The zone that was assigned last. */
	last: number;
	/** By name of the service port. */
	ports: Record<string, { zone: number; endpoints: string[] }>;
}

const mostZones = 65_535;

/** The zones for these ports, based on the previous ones. Pure. */
function nextZones(before: FlowZones, ports: readonly ServicePort[]): FlowZones {
	let { last } = before;
	const zones = ports.filter(isTracked).map((port): [string, FlowZones["ports"][string]] => {
		const endpoints = [...port.endpoints, ...(port.localEndpoints ?? [])].map((end) => `${end.address}:${end.port}`);
		const known = before.ports[port.name];
		const lost = known === undefined || known.endpoints.some((endpoint) => !endpoints.includes(endpoint));
		if (lost) last = (last % mostZones) + 1;
		return [port.name, { zone: lost ? last : known.zone, endpoints }];
	});
	return { last, ports: Object.fromEntries(zones) };
}

/** Rules that assign the packets of services to their zones; they replace the previous ones atomically. Pure. */
function zoneRules(zones: FlowZones, ports: readonly ServicePort[], hostPorts: readonly HostPort[]): string {
	const services: string[] = [];
	/** Zones by ports of the node. */
	const local = new Map<number, number>();
	for (const port of ports.filter(isTracked)) {
		const zone = zones.ports[port.name]?.zone ?? 0;
		services.push(...port.addresses.map((address) => `${address} . ${port.port} : ${zone}`));
		if (port.nodePort !== undefined) local.set(port.nodePort, zone);
	}
	for (const [port, zone] of hostPortZones(hostPorts)) local.set(port, zone);
	const localPorts = [...local].map(([port, zone]) => `${port} : ${zone}`);
	const elements = (list: string[]) => (list.length === 0 ? "" : `elements = { ${list.join(", ")} };`);
	// Before connection tracking.
	return `add table ip coxswain-flows
delete table ip coxswain-flows
table ip coxswain-flows {
	map services { typeof ip daddr . udp dport : ct zone; ${elements(services)} }
	map localports { typeof udp dport : ct zone; ${elements(localPorts)} }
	chain zones {
		ct original zone set ip daddr . udp dport map @services
		fib daddr type local ct original zone set udp dport map @localports
	}
	chain prerouting { type filter hook prerouting priority -300; meta l4proto udp jump zones; }
	chain output { type filter hook output priority -300; meta l4proto udp jump zones; }
}
`;
}

function isTracked({ protocol }: { protocol: string }): boolean {
	return protocol === "UDP";
}

/** Another pod has another zone. Pods that share a port, at different addresses of the node, share a zone. */
function hostPortZones(hostPorts: readonly HostPort[]): ReadonlyMap<number, number> {
	const sums = new Map<number, number>();
	for (const { hostPort, address } of hostPorts.filter(isTracked))
		sums.set(hostPort, (sums.get(hostPort) ?? 0) + (parseIPv4(address) ?? 0));
	return new Map([...sums].map(([port, sum]) => [port, (sum % mostZones) + 1]));
}

/** Persists the zones of a node's services across restarts of the agent. On a kernel without zones, it does nothing. */
export class FlowKeeper {
	readonly #path: string;
	readonly #directory: string;
	readonly #hostPorts: () => readonly HostPort[];
	readonly #apply: (rules: string) => Promise<unknown>;
	readonly #oneAtATime = inTurn();
	#services: readonly ServicePort[] | undefined;
	#zones: FlowZones;
	#applied = "";

	/** @param hostPorts the current ones of all pods */
	constructor(directory: string, hostPorts: () => readonly HostPort[], apply: (rules: string) => Promise<unknown>) {
		this.#directory = directory;
		this.#hostPorts = hostPorts;
		this.#path = `${directory}/flows.json`;
		this.#apply = apply;
		this.#zones = readZones(this.#path);
	}

	/** Called after the rules of the services themselves were set. */
	setServices(ports: readonly ServicePort[]): Promise<void> {
		this.#services = ports;
		return this.#oneAtATime(() => this.#update());
	}

	/** @param changed ports that were opened or closed */
	async hostPortsChanged(changed: readonly HostPort[]): Promise<void> {
		if (changed.some(isTracked)) await this.#oneAtATime(() => this.#update());
	}

	async #update(): Promise<void> {
		const ports = this.#services;
		// After a restart, the rules of the last agent are in force until the services are known.
		if (ports === undefined) return;
		const hostPorts = this.#hostPorts();
		const zones = nextZones(this.#zones, ports);
		const rules = zoneRules(zones, ports, hostPorts);
		const tracked = [...ports, ...hostPorts].some(isTracked);
		if (rules === this.#applied || (this.#applied === "" && !tracked)) return;
		try {
			await this.#apply(rules);
		} catch (error) {
			if (!(error instanceof CommandError)) throw error;
		}
		this.#applied = rules;
		this.#zones = zones;
		mkdirSync(this.#directory, { recursive: true });
		replaceFile(this.#path, JSON.stringify(zones));
	}
}

function readZones(path: string): FlowZones {
	try {
		// Written only by the keeper.
		return JSON.parse(readFileSync(path, "utf8")) as FlowZones;
	} catch {
		return { last: 0, ports: {} };
	}
}
