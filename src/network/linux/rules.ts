/**
 * Services as nftables rules: from ports to the text for `nft -f`. Pure. One verdict map leads from destination
 * address, protocol and port to a chain for each service port, so that the cost per packet does not depend on the
 * number of services.
 */
import { sameJson } from "../../core/equal.ts";
import type { ServicePort } from "../network.ts";

/**
 * Marks connections that must return through this node: they arrived at one of its ports, or came from outside the
 * cluster to a service address.
 */
const returnMark = "0x4000";
/** What the names of pods' links begin with. */
export const podLinks = "pod";

export interface BaseOptions {
	nodeAddress: string;
	/** The range of this node's pod addresses. */
	podAddresses: readonly string[];
	serviceCidr: string;
	hostPorts: readonly HostPort[];
}

export interface HostPort {
	protocol: string;
	/** One address of the node; undefined: all of them. */
	hostAddress?: string;
	hostPort: number;
	address: string;
	containerPort: number;
}

/**
 * The rules of every node, independent of its services. They replace the previous ones atomically. Pods may make packets
 * of any kind, but none with another's address, by which policies know them, nor for the node's loopback interface.
 */
export function baseRules(options: BaseOptions): string {
	const { nodeAddress, podAddresses, serviceCidr, hostPorts } = options;
	const pairs = podAddresses.map((address) => `${address} . ${address}`).join(", ");
	const [everywhere, somewhere] = [false, true].map((bound) =>
		hostPorts.filter((port) => (port.hostAddress !== undefined) === bound).map(hostPortElement),
	);
	return `add table ip coxswain
delete table ip coxswain
table ip coxswain {
	set hairpin { type ipv4_addr . ipv4_addr; ${elements(pairs)} }
	map hostports { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(everywhere?.join(", ") ?? "")} }
	map boundports { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; ${elements(somewhere?.join(", ") ?? "")} }
	chain forged {
		type filter hook prerouting priority -300;
		iifname != "lo" ip saddr 127.0.0.0/8 drop;
		iifname != "lo" ip daddr 127.0.0.0/8 drop;
		iifname "pod*" fib saddr . iif oif missing drop;
	}
	chain hostport {
		meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . ip daddr . th dport map @boundports;
		meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport map @hostports;
	}
	chain prerouting {
		type nat hook prerouting priority -101;
		iifname "eth0" ip daddr ${serviceCidr} meta mark set meta mark | ${returnMark};
		fib daddr type local ip daddr != ${serviceCidr} jump hostport;
	}
	chain output { type nat hook output priority -101; fib daddr type local ip daddr != ${serviceCidr} jump hostport; }
	chain postrouting {
		type nat hook postrouting priority 100;
		ct status dnat ip saddr . ip daddr @hairpin snat ip to ${nodeAddress};
		ct status dnat ip saddr 127.0.0.0/8 ip daddr != 127.0.0.0/8 snat ip to ${nodeAddress};
		meta mark & ${returnMark} == ${returnMark} snat ip to ${nodeAddress};
	}
	chain refuse { meta l4proto tcp reject with tcp reset; reject; }
	chain forward { type filter hook forward priority 0; ip daddr ${serviceCidr} jump refuse; }
	chain local { type filter hook output priority 0; ip daddr ${serviceCidr} fib daddr type != local jump refuse; }
}
`;
}

function hostPortElement(port: HostPort): string {
	const at = port.hostAddress === undefined ? "" : `${port.hostAddress} . `;
	return `${port.protocol.toLowerCase()} . ${at}${port.hostPort} : ${port.address} . ${port.containerPort}`;
}

/** A line for nft. */
export function hostPortChange(verb: "add" | "delete", port: HostPort): string {
	const map = port.hostAddress === undefined ? "hostports" : "boundports";
	return `${verb} element ip coxswain ${map} { ${hostPortElement(port)} }\n`;
}

/** The rules of one service port: its chains, and the map elements that lead to them. */
interface Rules {
	/** Sets of clients with session affinity: name and timeout. */
	sets: { name: string; seconds: number }[];
	/** Chains that are rewritten with every change. */
	chains: { name: string; rules: string[] }[];
	services: string[];
	nodePorts: string[];
	refused: string[];
}

/** The state that was set last, for computing changes. */
export type AppliedServices = ReadonlyMap<string, ServicePort>;

/** The rules for all services, in one transaction. */
export function allServices(ports: readonly ServicePort[]): string {
	const rules = ports.map(rulesOf);
	return `add table ip coxswain-services
delete table ip coxswain-services
table ip coxswain-services {
	map services { type ipv4_addr . inet_proto . inet_service : verdict; }
	map nodeports { type inet_proto . inet_service : verdict; }
	set refused { type ipv4_addr . inet_proto . inet_service; }
	chain dispatch {
		ip daddr . meta l4proto . th dport vmap @services;
		fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @nodeports;
	}
	chain prerouting { type nat hook prerouting priority -100; jump dispatch; }
	chain output { type nat hook output priority -100; jump dispatch; }
	chain refuse { meta l4proto tcp reject with tcp reset; reject; }
	chain forward { type filter hook forward priority 0; ip daddr . meta l4proto . th dport @refused jump refuse; }
	chain local { type filter hook output priority 0; ip daddr . meta l4proto . th dport @refused jump refuse; }
}
${rules.map(addition).join("")}${batched(rules, "add")}`;
}

/** The changes, in one transaction; empty if there are none. */
export function changedServices(before: AppliedServices, ports: readonly ServicePort[]): string {
	const wanted = new Map(ports.map((port) => [port.name, port]));
	const gone: Rules[] = [];
	const come: Rules[] = [];
	for (const [name, port] of before) {
		const next = wanted.get(name);
		if (next === undefined || !sameJson(port, next)) gone.push(rulesOf(port));
	}
	for (const [name, port] of wanted) {
		const last = before.get(name);
		if (last === undefined || !sameJson(last, port)) come.push(rulesOf(port));
	}
	if (gone.length === 0 && come.length === 0) return "";
	const kept = new Set(come.flatMap((rules) => rules.chains.map((chain) => chain.name)));
	const dropped = gone.flatMap((rules) => rules.chains.map((chain) => chain.name)).filter((name) => !kept.has(name));
	const keptSets = new Set(come.flatMap((rules) => rules.sets.map((set) => set.name)));
	const droppedSets = gone.flatMap((rules) => rules.sets.map((set) => set.name)).filter((name) => !keptSets.has(name));
	const forgotten = droppedSets.map((name) => `delete set ip coxswain-services ${name}\n`).join("");
	// Map elements are removed before the chains they refer to; chains are flushed before they are removed, because they
	// refer to each other.
	const emptied = dropped.map((name) => `flush chain ip coxswain-services ${name}\n`).join("");
	const deleted = dropped.map((name) => `delete chain ip coxswain-services ${name}\n`).join("");
	return batched(gone, "delete") + come.map(addition).join("") + emptied + deleted + forgotten + batched(come, "add");
}

function addition(rules: Rules): string {
	const table = "ip coxswain-services";
	const kind = (seconds: number) => `{ type ipv4_addr; flags dynamic, timeout; timeout ${seconds}s; }`;
	const declared = rules.sets.map(({ name, seconds }) => `add set ${table} ${name} ${kind(seconds)}\n`).join("");
	const added = rules.chains
		.map((chain) => `add chain ${table} ${chain.name}\nflush chain ${table} ${chain.name}\n`)
		.join("");
	const filled = rules.chains
		.flatMap((chain) => chain.rules.map((rule) => `add rule ${table} ${chain.name} ${rule}\n`))
		.join("");
	return declared + added + filled;
}

function batched(rules: readonly Rules[], verb: "add" | "delete"): string {
	const all = (pick: (one: Rules) => string[]) => rules.flatMap(pick);
	const line = (name: string, items: string[]) =>
		items.length === 0 ? "" : `${verb} element ip coxswain-services ${name} { ${items.join(", ")} }\n`;
	return (
		line(
			"services",
			all((one) => one.services),
		) +
		line(
			"nodeports",
			all((one) => one.nodePorts),
		) +
		line(
			"refused",
			all((one) => one.refused),
		)
	);
}

function rulesOf(port: ServicePort): Rules {
	const protocol = port.protocol.toLowerCase();
	const id = chainId(port.name);
	const rules: Rules = { sets: [], chains: [], services: [], nodePorts: [], refused: [] };
	const keys = port.addresses.map((address) => `${address} . ${protocol} . ${port.port}`);
	if (port.endpoints.length === 0) rules.refused.push(...keys);
	else {
		addEndpoints(rules, `s-${id}`, protocol, port.endpoints, port.affinitySeconds);
		rules.services.push(...keys.map((key) => `${key} : goto s-${id}`));
	}
	if (port.nodePort === undefined || port.endpoints.length === 0) return rules;
	rules.nodePorts.push(`${protocol} . ${port.nodePort} : goto n-${id}`);
	if (port.localEndpoints === undefined) {
		rules.chains.push({ name: `n-${id}`, rules: [`meta mark set meta mark | ${returnMark}`, `goto s-${id}`] });
		return rules;
	}
	// The node's own pods and programs are not outside: they reach all endpoints, as with kube-proxy.
	const own = [`iifname "${podLinks}*" goto s-${id}`, `fib saddr type local goto s-${id}`];
	const outside = port.localEndpoints.length === 0 ? [] : [`goto l-${id}`];
	rules.chains.push({ name: `n-${id}`, rules: [...own, ...outside] });
	if (outside.length > 0) addEndpoints(rules, `l-${id}`, protocol, port.localEndpoints, port.affinitySeconds);
	return rules;
}

function addEndpoints(
	rules: Rules,
	chain: string,
	protocol: string,
	endpoints: ServicePort["endpoints"],
	affinitySeconds: number | undefined,
): void {
	const count = endpoints.length;
	if (affinitySeconds === undefined) {
		const only = endpoints[0];
		const choices = endpoints.map(({ address, port }, index) => `${index} : ${address} . ${port}`).join(", ");
		const target =
			count === 1 && only !== undefined
				? `${only.address}:${only.port}`
				: `numgen random mod ${count} map { ${choices} }`;
		rules.chains.push({ name: chain, rules: [`meta l4proto ${protocol} dnat ip to ${target}`] });
		return;
	}
	const names = endpoints.map(({ address, port }) => `${chain}-${address.replaceAll(".", "-")}-${port}`);
	for (const [index, { address, port }] of endpoints.entries()) {
		const set = `a-${names[index]}`;
		rules.sets.push({ name: set, seconds: affinitySeconds });
		rules.chains.push({
			name: names[index] ?? "",
			rules: [`update @${set} { ip saddr }`, `meta l4proto ${protocol} dnat ip to ${address}:${port}`],
		});
	}
	const returning = names.map((name) => `ip saddr @a-${name} goto ${name}`);
	const choices = names.map((name, index) => `${index} : goto ${name}`).join(", ");
	rules.chains.push({ name: chain, rules: [...returning, `numgen random mod ${count} vmap { ${choices} }`] });
}

/** A name that nft accepts for any service port: letters are kept, other characters are replaced by their code. */
function chainId(name: string): string {
	return [...name]
		.map((character) => (/[a-z0-9-]/.test(character) ? character : `_${character.charCodeAt(0).toString(16)}_`))
		.join("");
}

function elements(list: string): string {
	return list === "" ? "" : `elements = { ${list} };`;
}
