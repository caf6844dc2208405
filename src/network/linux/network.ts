/**
 * The network of a node in a network namespace: each pod has a point-to-point link and a route; services are nftables
 * rules. Runs inside the node. After a restart, it finds its state in records on disk and in the links.
 */

import { mkdirSync, readFileSync } from "node:fs";
import { AddressPool, type Cidr, cidrSize, formatIPv4, parseCidr, parseIPv4 } from "../../core/addresses.ts";
import { inTurn } from "../../core/in-turn.ts";
import { CommandError, run, shellQuote } from "../../linux/command.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import type { NodeNetwork, PodNetwork, ServicePort } from "../network.ts";
import { FlowKeeper } from "./flows.ts";
import {
	type AppliedServices,
	allServices,
	baseRules,
	changedServices,
	type HostPort,
	hostPortChange,
	podLinks,
} from "./rules.ts";

export interface LinuxNetworkOptions {
	/** For records of pod addresses; absolute. */
	directory: string;
	nodeAddress: string;
	podCidr: string;
	/** Range of service addresses. */
	serviceCidr: string;
	/** The command that enters the node, for callers outside of it. */
	enter?: readonly string[];
}

interface PodRecord {
	address: string;
	namespacePath: string;
	hostPorts: HostPort[];
}

/** The default gateway of pods: no machine has this address, the other end of the link answers for it. */
const gateway = "169.254.1.1";
/** The same on every link, so that pods do not need ARP. */
const gatewayMac = "ee:ee:ee:ee:ee:ee";
/** Identifies routes of this network; a number that the kernel does not use. */
const routeProtocol = 186;
/** More addresses than a node has pods. */
const mostPods = 4096;

export async function createLinuxNetwork(options: LinuxNetworkOptions): Promise<NodeNetwork> {
	const { nodeAddress, podCidr, serviceCidr, enter = [] } = options;
	const cidr = parseCidr(podCidr);
	if (cidr === undefined) throw new Error(`not an IPv4 CIDR: ${podCidr}`);
	const inNode = (script: string, input = ""): Promise<string> => {
		const [program = "sh", ...args] = [...enter, "sh", "-c", script];
		return run([program, ...args], { input });
	};
	const records = readRecords(options.directory);
	const save = () => writeRecords(options.directory, records);
	const pool = new AddressPool(cidr, { skipFirst: 2, skipLast: 1 });
	for (const { address } of records.values()) pool.take(parseIPv4(address) ?? -1);

	const podAddresses = addressesIn(cidr);
	const hostPorts = () => [...records.values()].flatMap((record) => record.hostPorts);
	const rules = baseRules({ nodeAddress, podAddresses, serviceCidr, hostPorts: hostPorts() });
	// The route for service addresses allows the node's own programs to reach them; the rules redirect the packets.
	await inNode(`ip route replace ${serviceCidr} dev lo src ${nodeAddress} && exec nft -f -`, rules);

	let routes: ReadonlyMap<string, string> | undefined;
	const flows = new FlowKeeper(options.directory, hostPorts, (text) => inNode("exec nft -f -", text));
	let services: Map<string, ServicePort> | undefined;
	/** One change at a time, in order. */
	const oneAtATime = inTurn();

	/**
	 * Addresses whose links are being removed in the background, because the kernel is slow. They are free afterwards.
	 */
	const leaving = new Set<string>();
	let swept: Promise<void> = Promise.resolve();
	const sweep = () =>
		swept.then(async () => {
			if (leaving.size === 0) return;
			const addresses = [...leaving];
			leaving.clear();
			const script = addresses.map((address) => `ip link del ${linkName(address)} 2>/dev/null\n`).join("");
			// If the node itself is being removed, its links are removed with it.
			await inNode(`${script}true`).catch(() => {});
			for (const address of addresses) pool.release(parseIPv4(address) ?? -1);
		});

	return {
		nodeAddress,
		async attachPod(pod) {
			const before = records.get(pod.uid);
			if (before !== undefined && (await isAttached(inNode, before, pod.namespacePath)))
				return { addresses: [before.address] };
			if (before === undefined && pool.free === 0) await swept;
			const address = before?.address ?? formatFree(pool, podCidr);
			const ports = pod.hostPorts.map((port) => ({ ...port, address }));
			records.set(pod.uid, { address, namespacePath: pod.namespacePath, hostPorts: ports });
			save();
			await inNode(attachScript(address, nodeAddress, pod.namespacePath, ports));
			await flows.hostPortsChanged(ports);
			return { addresses: [address] };
		},
		async detachPod(uid) {
			const record = records.get(uid);
			if (record === undefined) return;
			const freed = record.hostPorts.map((port) => `nft ${shellQuote(hostPortChange("delete", port).trim())}\n`);
			if (freed.length > 0) await inNode(`${freed.join("")}true`);
			records.delete(uid);
			save();
			await flows.hostPortsChanged(record.hostPorts);
			leaving.add(record.address);
			swept = sweep();
		},
		async attached() {
			const links = await inNode("ip -o link show type veth");
			const found = [...records].filter(([, record]) => links.includes(` ${linkName(record.address)}@`));
			return new Map(found.map(([uid, record]): [string, PodNetwork] => [uid, { addresses: [record.address] }]));
		},
		setRoutes: (next) =>
			oneAtATime(async () => {
				const wanted = new Map(next.map(({ podCidr: to, via }) => [to, via]));
				const lines = routes === undefined ? [`route flush proto ${routeProtocol}`] : [];
				for (const to of routes?.keys() ?? [])
					if (!wanted.has(to)) lines.push(`route del ${to} proto ${routeProtocol}`);
				for (const [to, via] of wanted) {
					if (routes?.get(to) !== via)
						lines.push(`route replace ${to} via ${via} src ${nodeAddress} proto ${routeProtocol}`);
				}
				routes = undefined;
				if (lines.length > 0) await inNode("exec ip -batch -", `${lines.join("\n")}\n`);
				routes = wanted;
			}),
		setServices: (ports) =>
			oneAtATime(async () => {
				const before = services;
				// After a failure the next call sets everything again.
				services = undefined;
				await applyServices(before, ports, (text) => inNode("exec nft -f -", text));
				await flows.setServices(ports);
				services = new Map(ports.map((port) => [port.name, port]));
			}),
		async close() {
			await Promise.all([oneAtATime(async () => {}), swept]);
		},
	};
}

/** The number of endpoints and services in one message to the kernel, if its size is limited. */
const mostInOneStep = 200;

/**
 * Atomically. If the kernel limits the size of messages of an unprivileged user, in several steps, each of which leaves
 * every service in its old or new state.
 */
async function applyServices(
	before: AppliedServices | undefined,
	ports: readonly ServicePort[],
	apply: (text: string) => Promise<unknown>,
): Promise<void> {
	const text = before === undefined ? allServices(ports) : changedServices(before, ports);
	if (text === "") return;
	try {
		await apply(text);
		return;
	} catch (error) {
		if (!(error instanceof CommandError && error.message.includes("Message too long"))) throw error;
	}
	if (before === undefined) await apply(allServices([]));
	const now = new Map(before);
	const wanted = new Map(ports.map((port) => [port.name, port]));
	let weight = 0;
	let last: AppliedServices = new Map(now);
	const flush = async () => {
		const step = changedServices(last, [...now.values()]);
		if (step !== "") await apply(step);
		last = new Map(now);
		weight = 0;
	};
	for (const name of new Set([...now.keys(), ...wanted.keys()])) {
		const port = wanted.get(name);
		weight += 1 + (now.get(name)?.endpoints.length ?? 0) + (port?.endpoints.length ?? 0);
		if (port === undefined) now.delete(name);
		else now.set(name, port);
		if (weight >= mostInOneStep) await flush();
	}
	await flush();
}

/** One shell command for everything: starting a process costs more than its work. */
function attachScript(address: string, nodeAddress: string, namespacePath: string, ports: readonly HostPort[]): string {
	const link = linkName(address);
	const forwards = ports.map((port) => hostPortChange("add", port)).join("");
	return `set -e
ip link del ${link} 2>/dev/null || :
nsenter --net=${shellQuote(namespacePath)} ip -batch - <<'END'
link set lo up
link add eth0 type veth peer name ${link} address ${gatewayMac} netns 1
link set eth0 up
addr add ${address}/32 dev eth0
route add ${gateway} dev eth0
route add default via ${gateway} dev eth0
neigh replace ${gateway} lladdr ${gatewayMac} dev eth0 nud permanent
END
ip -batch - <<'END'
link set ${link} up
route replace ${address}/32 dev ${link} src ${nodeAddress}
END
${forwards === "" ? "" : `nft -f - <<'END'\n${forwards}END\n`}`;
}

async function isAttached(
	inNode: (script: string) => Promise<string>,
	record: PodRecord,
	namespacePath: string,
): Promise<boolean> {
	try {
		const shown = await inNode(`exec nsenter --net=${shellQuote(namespacePath)} ip -o -4 addr show dev eth0`);
		return shown.includes(` ${record.address}/32 `) || shown.includes(` ${record.address} `);
	} catch {
		// The namespace is new, or does not exist any more.
		return false;
	}
}

/** At most 15 characters, and always the same for an address. */
function linkName(address: string): string {
	return `${podLinks}${(parseIPv4(address) ?? 0).toString(16).padStart(8, "0")}`;
}

function addressesIn(cidr: Cidr): string[] {
	return Array.from({ length: Math.min(cidrSize(cidr), mostPods) }, (_, index) => formatIPv4(cidr.base + index));
}

function formatFree(pool: AddressPool, podCidr: string): string {
	const address = pool.allocate();
	if (address === undefined) throw new Error(`no free pod address left in ${podCidr}`);
	return formatIPv4(address);
}

function readRecords(directory: string): Map<string, PodRecord> {
	try {
		// Written only by writeRecords.
		return new Map(JSON.parse(readFileSync(`${directory}/pods.json`, "utf8")) as [string, PodRecord][]);
	} catch {
		return new Map();
	}
}

function writeRecords(directory: string, records: ReadonlyMap<string, PodRecord>): void {
	mkdirSync(directory, { recursive: true });
	replaceFile(`${directory}/pods.json`, JSON.stringify([...records]));
}
