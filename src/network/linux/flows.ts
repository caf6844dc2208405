/**
 * UDP has no end of a connection, so the kernel keeps sending a client's packets to an endpoint, even after it was
 * removed. Each UDP service therefore tracks its connections in a zone of its own, and switches to a new zone when it
 * loses an endpoint, which invalidates the entries of the old one. Responses are matched in the default zone by the
 * endpoint's address.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { CommandError } from "../../linux/command.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import type { ServicePort } from "../network.ts";

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
function zoneRules(zones: FlowZones, ports: readonly ServicePort[]): string {
	const services: string[] = [];
	const nodePorts: string[] = [];
	for (const port of ports.filter(isTracked)) {
		const zone = zones.ports[port.name]?.zone ?? 0;
		services.push(...port.addresses.map((address) => `${address} . ${port.port} : ${zone}`));
		if (port.nodePort !== undefined) nodePorts.push(`${port.nodePort} : ${zone}`);
	}
	const elements = (list: string[]) => (list.length === 0 ? "" : `elements = { ${list.join(", ")} };`);
	// Before connection tracking.
	return `add table ip coxswain-flows
delete table ip coxswain-flows
table ip coxswain-flows {
	map services { typeof ip daddr . udp dport : ct zone; ${elements(services)} }
	map nodeports { typeof udp dport : ct zone; ${elements(nodePorts)} }
	chain zones {
		ct original zone set ip daddr . udp dport map @services
		fib daddr type local ct original zone set udp dport map @nodeports
	}
	chain prerouting { type filter hook prerouting priority -300; meta l4proto udp jump zones; }
	chain output { type filter hook output priority -300; meta l4proto udp jump zones; }
}
`;
}

function isTracked(port: ServicePort): boolean {
	return port.protocol === "UDP";
}

/** Persists the zones of a node's services across restarts of the agent. */
export class FlowKeeper {
	readonly #path: string;
	readonly #directory: string;
	readonly #apply: (rules: string) => Promise<unknown>;
	#zones: FlowZones;
	#applied = "";

	constructor(directory: string, apply: (rules: string) => Promise<unknown>) {
		this.#directory = directory;
		this.#path = `${directory}/flows.json`;
		this.#apply = apply;
		this.#zones = readZones(this.#path);
	}

	/** Called after the rules of the services themselves were set. On a kernel without zones, services still work. */
	async update(ports: readonly ServicePort[]): Promise<void> {
		const zones = nextZones(this.#zones, ports);
		const rules = zoneRules(zones, ports);
		if (rules === this.#applied || (this.#applied === "" && !ports.some(isTracked))) return;
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
		// Written only by `update`.
		return JSON.parse(readFileSync(path, "utf8")) as FlowZones;
	} catch {
		return { last: 0, ports: {} };
	}
}
