/**
 * The machine's part of a cluster: a switch and nodes, each a set of namespaces (network, host name, mounts, processes)
 * kept alive by a holder that is its PID 1. Nothing is pinned in the machine's own mount table or network, so when a
 * holder ends, its node is removed completely. Holders outlive the process that started them and are found by a marker
 * in their environment.
 *
 * As root, the namespaces are created directly. As an ordinary user, one user namespace, owned by the switch's holder,
 * contains everything of the cluster.
 */

import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import { inTurn } from "../core/in-turn.ts";
import type { Clock } from "../core/time/clock.ts";
import { removeCgroups } from "../linux/cgroup-tree.ts";
import { run, shellQuote } from "../linux/command.ts";
import { isAlive, killAll, type ProcessId } from "../linux/processes.ts";
import { type HolderOptions, startHolder } from "./machine/holder.ts";
import { ensureKey, type MarkedProcess, markedProcesses } from "./machine/marked-processes.ts";
import { bridge, linkNode, serviceRoute } from "./machine/node-link.ts";
import { hasAddress, isConnected, type NodeSpec, readNet, readSpec } from "./machine/node-spec.ts";
import { missingForNodes, probeNamespaces } from "./machine/probe.ts";
import { connectUplink, removeUplink } from "./machine/uplink.ts";
import { connectUserNetwork, wayOutRole } from "./machine/user-network.ts";
import { nodeDirectories, prepareView } from "./machine/view.ts";

export type { NodeSpec } from "./machine/node-spec.ts";

/** A node whose namespaces exist. */
export interface NodeHolder extends NodeSpec {
	/** PID 1 of the node, in the machine's PID namespace. */
	pid: number;
	startTime: string;
	/**
	 * The node's own `/`, a copy-on-write view of the machine's, at its mount point inside the node; hostPath volumes are
	 * resolved in it.
	 */
	viewDirectory: string;
	/** For the writable layers of containers; only visible inside the node. */
	scratchDirectory: string;
	/** Name of the node's control groups below each hierarchy's root. */
	cgroup: string;
	/**
	 * The command that runs its arguments inside the node: `[...enterArguments(), "sh", "-c", …]`. Absolute paths refer
	 * to the machine.
	 */
	enterArguments(): [string, ...string[]];
}

export interface Machine {
	readonly mode: "root" | "rootless";
	/** Obstacles that are visible without creating a node, each with its remedy. */
	readonly problems: readonly string[];
	/** What does not work between the cluster and the networks of the machine, one sentence each. */
	readonly notes: readonly string[];
	/** The holder of the switch; started if it is not running. */
	ensureSwitch(): Promise<ProcessId>;
	/**
	 * The command that runs its arguments in the network of the switch, which reaches all nodes and pods. They end with
	 * the switch.
	 */
	enterSwitch(): Promise<[string, ...string[]]>;
	/** Idempotent: returns an existing node, and recreates an incomplete one. */
	addNode(spec: NodeSpec): Promise<NodeHolder>;
	/** Kills every process of the node. Its directory is kept. */
	removeNode(name: string): Promise<void>;
	/** All complete nodes, including those that an earlier process created. */
	nodes(): NodeHolder[];
	/** Kills every process of every node and the switch, in any state that an interrupted start has left. */
	destroy(): Promise<void>;
}

export interface MachineOptions {
	/** The cluster's directory, which identifies the cluster on this machine. */
	directory: string;
	clock: Clock;
	/** Service addresses that every node serves itself. Default: none. */
	localAddresses?: readonly string[];
	/**
	 * Blocks of the cluster's addresses, to which the machine gets routes where it may. Default: its network is not
	 * connected to the machine's.
	 */
	ranges?: { pods: string; services: string };
}

export async function createMachine(options: MachineOptions): Promise<Machine> {
	mkdirSync(options.directory, { recursive: true });
	return new LinuxMachine(options);
}

class LinuxMachine implements Machine {
	readonly mode = process.getuid?.() === 0 ? "root" : "rootless";
	readonly problems = missingForNodes();
	readonly #clock: Clock;
	readonly #localAddresses: readonly string[];
	/** The cluster's directory: its holders are marked with it. */
	readonly #owner: string;
	/** Identifies the cluster in names of control groups, links and rules. */
	readonly #id: string;
	readonly #cgroup: string;
	readonly #ranges: MachineOptions["ranges"];
	#out: { switchPid: number; isConnected: Promise<boolean> } | undefined;
	#notes: readonly string[] = [];
	/** One change at a time: each depends on the processes that exist. */
	readonly #inTurn = inTurn();

	constructor({ directory, clock, localAddresses = [], ranges }: MachineOptions) {
		this.#clock = clock;
		this.#localAddresses = localAddresses;
		this.#owner = realpathSync(directory);
		this.#id = createHash("sha256").update(this.#owner).digest("hex").slice(0, 12);
		this.#cgroup = `coxswain-${this.#id}`;
		this.#ranges = ranges;
	}

	get notes(): readonly string[] {
		return this.#notes;
	}

	ensureSwitch(): Promise<ProcessId> {
		return this.#inTurn(() => this.#ensureSwitch(markedProcesses(this.#owner)));
	}

	async enterSwitch(): Promise<[string, ...string[]]> {
		const { pid } = await this.ensureSwitch();
		return [...this.#inSwitch(pid), "--pid"];
	}

	addNode(spec: NodeSpec): Promise<NodeHolder> {
		return this.#inTurn(() => this.#addNode(spec));
	}

	removeNode(name: string): Promise<void> {
		return this.#inTurn(async () => {
			await killAll(withRole(markedProcesses(this.#owner), `node/${name}`), this.#clock);
			await removeCgroups(`${this.#cgroup}/${name}`, this.#clock);
			await this.#leadServices();
		});
	}

	nodes(): NodeHolder[] {
		const holders = markedProcesses(this.#owner).filter((holder) => holder.isInit && holder.role.startsWith("node/"));
		return holders.filter(isConnected).flatMap((holder) => {
			const spec = readSpec(holder);
			return spec === undefined ? [] : [this.#describe(spec, holder)];
		});
	}

	destroy(): Promise<void> {
		return this.#inTurn(async () => {
			// Repeated for holders that were just being started during the first search.
			for (let found = markedProcesses(this.#owner); found.length > 0; found = markedProcesses(this.#owner))
				await killAll(found, this.#clock);
			await removeCgroups(this.#cgroup, this.#clock);
			if (this.mode === "root") await removeUplink(this.#id);
			this.#out = undefined;
		});
	}

	/** Through a node that is there. */
	async #leadServices(): Promise<void> {
		const [node] = this.nodes();
		const [ports] = withRole(markedProcesses(this.#owner), "switch");
		if (node === undefined || ports === undefined || this.#ranges === undefined) return;
		const input = `${serviceRoute(this.#ranges.services, node.address)}\n`;
		await run([...this.#inSwitch(ports.pid), "ip", "-batch", "-"], { input });
	}

	#inSwitch(pid: number): [string, ...string[]] {
		return ["nsenter", `--target=${pid}`, ...userFlags(this.mode), "--net"];
	}

	/** @param holders of the cluster: to find them takes a few milliseconds, more on a machine with many processes */
	async #ensureSwitch(holders: readonly MarkedProcess[]): Promise<ProcessId> {
		const found = withRole(holders, "switch");
		ensureKey(this.#owner, holders);
		const complete = found.find((holder) => holder.isInit && readNet(holder.pid, "dev").includes(`${bridge}:`));
		if (complete !== undefined) return complete;
		await killAll(found, this.#clock);
		const user = this.mode === "rootless" ? ["--user", "--map-root-user"] : [];
		return makeHolder(this.mode, {
			owner: this.#owner,
			role: "switch",
			enter: ["unshare", ...user, "--net", "--pid", "--fork", "--kill-child"],
			script: `ip -batch - <<-'END'\n${["link set lo up", `link add ${bridge} type bridge`, `link set ${bridge} up`].join("\n")}\nEND`,
		});
	}

	async #addNode(spec: NodeSpec): Promise<NodeHolder> {
		const holders = markedProcesses(this.#owner);
		const found = withRole(holders, `node/${spec.name}`);
		const ports = this.#ensureSwitch(holders);
		// It is awaited below.
		ports.catch(() => {});
		if (found.length > 0) {
			await this.#connectOut((await ports).pid);
			const complete = found.find((holder) => holder.isInit && isConnected(holder));
			if (complete !== undefined) return this.#describe(readSpec(complete) ?? spec, complete);
			await killAll(found, this.#clock);
		}
		mkdirSync(spec.rootDirectory, { recursive: true });
		const own = { ...spec, rootDirectory: realpathSync(spec.rootDirectory) };
		const [{ pid: switchPid }, leadsOut, holder] = await Promise.all([
			ports,
			ports.then(({ pid }) => this.#connectOut(pid)),
			this.#holdNode(own, ports),
		]);
		await linkNode({
			...spec,
			enterSwitch: this.#inSwitch(switchPid),
			pid: holder.pid,
			localAddresses: this.#localAddresses,
			serviceCidr: this.#ranges?.services,
			leadsOut,
		});
		return this.#describe(own, holder);
	}

	/** Starts the PID 1 of a node, which has no network yet. */
	async #holdNode(spec: NodeSpec, ports: Promise<ProcessId>): Promise<ProcessId> {
		const rootless = this.mode === "rootless";
		const view = prepareView(nodeDirectories(spec.rootDirectory), { hidden: this.#owner, assembled: rootless });
		const into = rootless ? ["nsenter", `--target=${(await ports).pid}`, ...userFlags(this.mode)] : [];
		const namespaces = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--kill-child"];
		const name = shellQuote(spec.name);
		const [program = "unshare", ...rest] = [...into, ...namespaces];
		return makeHolder(this.mode, {
			owner: this.#owner,
			role: `node/${spec.name}`,
			environment: { COX_NODE: JSON.stringify(spec) },
			enter: [program, ...rest],
			script: `mount -t proc proc /proc\n{ echo ${name} >/proc/sys/kernel/hostname; } 2>/dev/null || hostname ${name}\n${view}mount --make-rshared /\n`,
		});
	}

	/** Once for each switch. @returns whether it leads to networks outside the cluster */
	#connectOut(switchPid: number): Promise<boolean> {
		if (this.#ranges === undefined) return Promise.resolve(false);
		if (this.#out?.switchPid === switchPid) return this.#out.isConnected;
		const isConnected = this.#makeWayOut(switchPid, Object.values(this.#ranges)).then(
			(notes) => {
				this.#notes = notes;
				return true;
			},
			(error: unknown) => {
				this.#notes = [`pods do not reach networks outside the cluster: ${messageOf(error)}`];
				return false;
			},
		);
		this.#out = { switchPid, isConnected };
		return isConnected;
	}

	async #makeWayOut(switchPid: number, ranges: readonly string[]): Promise<string[]> {
		if (this.mode === "root") return connectUplink({ id: this.#id, switchPid, ranges });
		const found = withRole(markedProcesses(this.#owner), wayOutRole);
		const enterSwitch = this.#inSwitch(switchPid);
		await connectUserNetwork({ owner: this.#owner, switchPid, enterSwitch, ranges, found, clock: this.#clock });
		return [];
	}

	#describe(spec: NodeSpec, { pid, startTime }: ProcessId): NodeHolder {
		const { view, scratch } = nodeDirectories(spec.rootDirectory);
		const enter = ["--net", "--uts", "--mount", "--pid"];
		return {
			...spec,
			pid,
			startTime,
			viewDirectory: view,
			scratchDirectory: scratch,
			cgroup: `${this.#cgroup}/${spec.name}`,
			enterArguments: () => ["nsenter", `--target=${pid}`, ...userFlags(this.mode), ...enter],
		};
	}
}

function withRole(holders: readonly MarkedProcess[], role: string): MarkedProcess[] {
	return holders.filter((holder) => holder.role === role);
}

/** @throws Error with the reason why this machine creates no namespaces, and the remedy, if that is what fails */
async function makeHolder(mode: Machine["mode"], options: HolderOptions): Promise<ProcessId> {
	try {
		return await startHolder(options);
	} catch (error) {
		const problems = await probeNamespaces(mode);
		throw problems.length > 0 ? new Error(problems.join("; "), { cause: error }) : error;
	}
}

/** Whether the node's processes are running and can reach the switch. Cheap. */
export function isWhole(holder: NodeHolder): boolean {
	return isAlive(holder) && hasAddress(holder.pid, holder.address);
}

/** Flags for entering the cluster's user namespace, if there is one. */
function userFlags(mode: Machine["mode"]): string[] {
	return mode === "rootless" ? ["--user", "--preserve-credentials"] : [];
}
