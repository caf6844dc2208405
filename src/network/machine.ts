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
import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { inTurn } from "../core/in-turn.ts";
import type { Clock } from "../core/time/clock.ts";
import { run, shellQuote } from "../linux/command.ts";
import { isAlive, killAll, type ProcessId } from "../linux/processes.ts";
import { removeCgroups } from "./machine/cgroups.ts";
import { type HolderOptions, startHolder } from "./machine/holder.ts";
import { ensureKey, type MarkedProcess, markedProcesses } from "./machine/marked-processes.ts";
import { missingForNodes, probeNamespaces } from "./machine/probe.ts";
import { nodeDirectories, prepareView } from "./machine/view.ts";

export interface NodeSpec {
	name: string;
	/** Unique in the cluster, 0 to 65,000; determines the node's port of the switch. */
	index: number;
	/** Range of its pods' addresses. */
	podCidr: string;
	/** Its own address, in the range of node addresses. */
	address: string;
	/** Absolute path of the node's files. */
	rootDirectory: string;
}

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
	/** The holder of the switch; started if it is not running. */
	ensureSwitch(): Promise<ProcessId>;
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
}

const bridge = "switch0";
/** All nodes of a cluster are in one network of this size. */
const nodePrefixBits = 16;

export async function createMachine(options: MachineOptions): Promise<Machine> {
	const { clock, localAddresses = [] } = options;
	mkdirSync(options.directory, { recursive: true });
	const owner = realpathSync(options.directory);
	const mode = process.getuid?.() === 0 ? "root" : "rootless";
	const cgroup = `coxswain-${createHash("sha256").update(owner).digest("hex").slice(0, 12)}`;
	const find = (role: string) => withRole(markedProcesses(owner), role);
	const problems = missingForNodes();
	/** One change at a time: each depends on the processes that exist. */
	const oneAtATime = inTurn();

	const enterSwitch = (pid: number): [string, ...string[]] => [
		"nsenter",
		`--target=${pid}`,
		...userFlags(mode),
		"--net",
	];
	/** @param holders of the cluster: to find them takes a few milliseconds, more on a machine with many processes */
	const ensureSwitch = async (holders: readonly MarkedProcess[]): Promise<ProcessId> => {
		const found = withRole(holders, "switch");
		ensureKey(owner, holders);
		const complete = found.find((holder) => holder.isInit && readNet(holder.pid, "dev").includes(`${bridge}:`));
		if (complete !== undefined) return complete;
		await killAll(found, clock);
		const user = mode === "rootless" ? ["--user", "--map-root-user"] : [];
		return makeHolder(mode, {
			owner,
			role: "switch",
			enter: ["unshare", ...user, "--net", "--pid", "--fork", "--kill-child"],
			script: `ip -batch - <<-'END'\n${["link set lo up", `link add ${bridge} type bridge`, `link set ${bridge} up`].join("\n")}\nEND`,
		});
	};
	const addNode = async (spec: NodeSpec): Promise<NodeHolder> => {
		const holders = markedProcesses(owner);
		const found = withRole(holders, `node/${spec.name}`);
		const ports = ensureSwitch(holders);
		// It is awaited below.
		ports.catch(() => {});
		if (found.length > 0) {
			await ports;
			const complete = found.find((holder) => holder.isInit && isConnected(holder));
			if (complete !== undefined) return toHolder(readSpec(complete) ?? spec, complete, mode, cgroup);
			await killAll(found, clock);
		}
		mkdirSync(spec.rootDirectory, { recursive: true });
		const rootDirectory = realpathSync(spec.rootDirectory);
		const view = prepareView(nodeDirectories(rootDirectory), { hidden: owner, assembled: mode === "rootless" });
		const into = mode === "root" ? [] : [`nsenter`, `--target=${(await ports).pid}`, ...userFlags(mode)];
		const namespaces = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--kill-child"];
		const name = shellQuote(spec.name);
		const [program = "unshare", ...rest] = [...into, ...namespaces];
		const made = makeHolder(mode, {
			owner,
			role: `node/${spec.name}`,
			environment: { COX_NODE: JSON.stringify({ ...spec, rootDirectory }) },
			enter: [program, ...rest],
			script: `mount -t proc proc /proc\n{ echo ${name} >/proc/sys/kernel/hostname; } 2>/dev/null || hostname ${name}\n${view}mount --make-rshared /\n`,
		});
		const [{ pid: switchPid }, holder] = await Promise.all([ports, made]);
		await connect(switchPid, holder.pid, spec);
		return toHolder({ ...spec, rootDirectory }, holder, mode, cgroup);
	};
	/** The last step, the node's own address, completes the node: without it a later start recreates the node. */
	const connect = async (switchPid: number, pid: number, spec: NodeSpec): Promise<void> => {
		const port = `n${spec.index}`;
		const link = `link add ${port} type veth peer name eth0 netns ${pid}\nlink set ${port} master ${bridge} up`;
		const forward =
			"cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >conf/all/rp_filter; echo 0 >conf/default/rp_filter; echo 1 >conf/all/route_localnet";
		const local = localAddresses.map((address) => `addr add ${address}/32 dev lo\n`).join("");
		const inNode = shellQuote(`${forward}\nexec ip -batch -`);
		// One process enters both, because this one is busy while a cluster starts.
		const script = `ip link del ${port} 2>/dev/null
ip -batch - <<-'END' || exit
${link}
END
exec nsenter --target=${pid} --net sh -c ${inNode}`;
		await run([...enterSwitch(switchPid), "sh", "-c", script], {
			input: `link set lo up\n${local}link set eth0 up\naddr add ${spec.address}/${nodePrefixBits} dev eth0\n`,
		});
	};

	return {
		mode,
		problems,
		ensureSwitch: () => oneAtATime(() => ensureSwitch(markedProcesses(owner))),
		addNode: (spec) => oneAtATime(() => addNode(spec)),
		removeNode: (name) =>
			oneAtATime(async () => {
				await killAll(find(`node/${name}`), clock);
				await removeCgroups(`${cgroup}/${name}`, clock);
			}),
		nodes() {
			const holders = markedProcesses(owner).filter((holder) => holder.isInit && holder.role.startsWith("node/"));
			return holders.filter(isConnected).flatMap((holder) => {
				const spec = readSpec(holder);
				return spec === undefined ? [] : [toHolder(spec, holder, mode, cgroup)];
			});
		},
		destroy: () =>
			oneAtATime(async () => {
				// Repeated for holders that were just being started during the first search.
				for (let found = markedProcesses(owner); found.length > 0; found = markedProcesses(owner))
					await killAll(found, clock);
				await removeCgroups(cgroup, clock);
			}),
	};
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

function isConnected(holder: MarkedProcess): boolean {
	const address = readSpec(holder)?.address;
	return address !== undefined && hasAddress(holder.pid, address);
}

function hasAddress(pid: number, address: string): boolean {
	return readNet(pid, "fib_trie").includes(` ${address}\n`);
}

function readSpec(holder: MarkedProcess): NodeSpec | undefined {
	const text = holder.environment.get("COX_NODE");
	// Written by addNode from a NodeSpec.
	return text === undefined ? undefined : (JSON.parse(text) as NodeSpec);
}

function readNet(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/net/${file}`, "utf8");
	} catch {
		return "";
	}
}

function toHolder(spec: NodeSpec, { pid, startTime }: ProcessId, mode: Machine["mode"], cgroup: string): NodeHolder {
	const { view, scratch } = nodeDirectories(spec.rootDirectory);
	return {
		...spec,
		pid,
		startTime,
		viewDirectory: view,
		scratchDirectory: scratch,
		cgroup: `${cgroup}/${spec.name}`,
		enterArguments: () => ["nsenter", `--target=${pid}`, ...userFlags(mode), "--net", "--uts", "--mount", "--pid"],
	};
}
