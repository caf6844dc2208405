import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { toolPath } from "../../linux/command.ts";
import { isExecutable } from "../../linux/if-there.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import { followResolvers } from "../../linux/resolvers.ts";
import { clusterDirectories } from "../../network/machine/marked-processes.ts";
import { createMachine, isWhole, type Machine, type NodeHolder } from "../../network/machine.ts";
import { type KubeletDocument, readKubeletConfiguration } from "../../node/context/kubelet-configuration.ts";
import { createForwarder } from "../../proxy/dns-forward.ts";
import { serveDnsRelay } from "../../proxy/dns-relay.ts";
import { type ImageSource, imageSources } from "../../runtime/process/images/choose-source.ts";
import { dnsServer, networkPolicies, nodeUser, serviceProxy, stateMetrics } from "../control-plane/identities.ts";
import { registersToRead } from "../data/data-directories.ts";
import { homeDirectory } from "../files/account.ts";
import type { Layout } from "../files/layout.ts";
import { packageDirectory } from "../files/package-files.ts";
import type { LocalTokens } from "../pki/local-tokens.ts";
import { addressesOfNodes, type ClusterNetwork, dnsAddress } from "../settings/cluster-network.ts";
import { AgentProcess } from "./agent-process.ts";
import type { AgentConfig, AgentTokens } from "./agent-protocol.ts";
import { ImagePuller } from "./image-puller.ts";
import type { NodePool, PoolNode } from "./node-pool.ts";
import { ownServices } from "./own-services.ts";

export interface ProcessNodesOptions {
	layout: Layout;
	clock: Clock;
	network: ClusterNetwork;
	/** For all nodes; absent: defaults. */
	kubelet?: KubeletDocument | undefined;
	showHome?: boolean | undefined;
	/** What runs containers; default: `process`. */
	runtime?: "process" | "containerd";
	/** Where images come from; default: `auto`, or the variable COX_IMAGES. */
	images?: ImageSource | undefined;
	/** Directory of the store of images; default: the cluster's own. */
	imageStore?: string | undefined;
	/** For the tokens of the nodes' agents. */
	tokens: LocalTokens;
	/**
	 * Called when an agent's process has been started. The agent waits until the result is fulfilled: then the API server
	 * answers. Default: it answers already.
	 */
	apiAnswers?(): Promise<unknown>;
}

/**
 * Nodes as namespaces of this machine, each with an agent process.
 * @throws Error that says what the machine lacks
 */
export async function createProcessNodes(options: ProcessNodesOptions): Promise<NodePool> {
	const { layout, clock } = options;
	const localAddresses = addressesOfNodes(options.network);
	const { clusterCidr: pods, serviceCidr: services } = options.network;
	const machine = await createMachine({ directory: layout.data, clock, localAddresses, ranges: { pods, services } });
	const problems = [
		...machine.problems,
		...(options.runtime === "containerd" ? missingForContainerd(machine.mode) : []),
	];
	if (problems.length > 0) throw new Error(problems.join("; "));
	return new ProcessNodes(options, machine, await serveMachineDns(options));
}

/** Asks the machine's resolvers for nodes. */
async function serveMachineDns({ layout, clock, network }: ProcessNodesOptions): Promise<() => Promise<void>> {
	const machine = followResolvers();
	const own = dnsAddress(network);
	const resolvers = () => machine.addresses.filter((address) => address !== own).map((address) => ({ address }));
	const relay = await serveDnsRelay({
		socketPath: layout.dnsSocket,
		forwarder: createForwarder({ clock, resolvers }),
	});
	return async () => {
		machine.close();
		await relay.close();
	};
}

/** Stops all remaining nodes of the cluster, regardless of which process started them. Returns their number. */
export async function removeMachine(layout: Layout, clock: Clock): Promise<number> {
	const machine = await createMachine({ directory: layout.data, clock });
	const count = machine.nodes().length;
	await machine.destroy();
	return count;
}

/**
 * The interval of checks of the nodes' namespaces. The exit of an agent is detected immediately; this detects the loss
 * of the switch.
 */
const lookMs = 5_000;

class ProcessNodes implements NodePool {
	readonly #options: ProcessNodesOptions;
	readonly #machine: Machine;
	readonly #puller: ImagePuller;
	readonly #stopDns: () => Promise<void>;
	readonly #nodes = new Map<string, { agent: AgentProcess; holder: NodeHolder; tokens: AgentTokens }>();
	readonly dialAddress: (address: string, port: number) => Duplex | undefined;
	#nextLook: Timer;
	#stopped = false;

	constructor(options: ProcessNodesOptions, machine: Machine, stopDns: () => Promise<void>) {
		this.#options = options;
		this.#stopDns = stopDns;
		this.#machine = machine;
		const { apiSocket, apiTlsSocket } = options.layout;
		const token = options.tokens.grant(stateMetrics);
		this.dialAddress = ownServices({ network: options.network, apiSocket, apiTlsSocket, token });
		const kubelet = readKubeletConfiguration(options.kubelet);
		const settings = {
			collection: {
				high: kubelet.imageGCHighThresholdPercent,
				low: kubelet.imageGCLowThresholdPercent,
				leastAgeMs: kubelet.imageMinimumGCAgeMs,
				mostAgeMs: kubelet.imageMaximumGCAgeMs,
			},
			store: this.#imageStore,
			registriesFile: options.layout.registries,
			dockerDirectory: process.env.DOCKER_CONFIG || join(homeDirectory() ?? "/", ".docker"),
		};
		this.#puller = new ImagePuller(settings, options.clock);
		this.#nextLook = options.clock.after(lookMs, () => this.#look());
	}

	get #imageStore(): string {
		return this.#options.imageStore ?? this.#options.layout.imageStore;
	}

	get mode(): "root" | "rootless" {
		return this.#machine.mode;
	}

	get notes(): readonly string[] {
		return this.#machine.notes;
	}

	enterSwitch(): Promise<[string, ...string[]]> {
		return this.#machine.enterSwitch();
	}

	async add(node: PoolNode): Promise<void> {
		const { layout, clock } = this.#options;
		const files = layout.node(node.name);
		const spec = { ...node, rootDirectory: files.directory };
		const adding = this.#machine.addNode(spec);
		// While other processes make the namespaces.
		const hidden = outermost([layout.data, layout.sockets, this.#imageStore, ...clusterDirectories()]);
		const holder = await adding;
		if (this.#stopped) throw new Error("the nodes are being stopped");
		const config: AgentConfig = {
			node: node.name,
			runtime: this.#options.runtime ?? "process",
			criSocket: files.criSocket,
			address: node.address,
			podCidr: node.podCidr,
			labels: { ...node.labels },
			clusterCidr: this.#options.network.clusterCidr,
			serviceCidr: this.#options.network.serviceCidr,
			hidden,
			registers: registersToRead(),
			showHome: this.#options.showHome === true,
			directory: files.directory,
			viewDirectory: holder.viewDirectory,
			scratchDirectory: holder.scratchDirectory,
			cgroup: holder.cgroup,
			imagesFile: layout.images,
			manifests: layout.manifests,
			images: { source: this.#options.images ?? imagesOfEnvironment(), store: this.#imageStore },
			seccompProfiles: join(layout.data, "seccomp"),
			standIns: join(packageDirectory, "assets/stand-ins"),
			...(this.#options.kubelet === undefined ? {} : { kubelet: this.#options.kubelet }),
			apiSocket: layout.apiSocket,
			apiTlsSocket: layout.apiTlsSocket,
			agentSocket: files.agentSocket,
			dnsSocket: layout.dnsSocket,
		};
		mkdirSync(files.directory, { recursive: true, mode: 0o700 });
		mkdirSync(layout.manifests, { recursive: true });
		replaceFile(files.config, JSON.stringify(config));
		const tokens: AgentTokens = {
			node: this.#options.tokens.grant(nodeUser(node.name)),
			proxy: this.#options.tokens.grant(serviceProxy),
			dns: this.#options.tokens.grant(dnsServer),
			stateMetrics: this.#options.tokens.grant(stateMetrics),
			policies: this.#options.tokens.grant(networkPolicies),
		};
		const agent = new AgentProcess({
			tokens,
			enter: async () => {
				const local = this.#nodes.get(node.name);
				if (local === undefined) return holder.enterArguments();
				if (!isWhole(local.holder)) local.holder = await this.#machine.addNode(spec);
				return local.holder.enterArguments();
			},
			configFile: files.config,
			logFile: files.log,
			data: layout.data,
			clock,
			pull: (wish, signal) => this.#puller.pull(wish, signal),
			removeUnusedImages: () => this.#puller.collect({ all: true }),
			apiAnswers: this.#options.apiAnswers ?? (async () => {}),
		});
		this.#nodes.set(node.name, { agent, holder, tokens });
		await agent.start();
	}

	async repair(): Promise<void> {
		const nodes = [...this.#nodes.values()];
		await Promise.all(nodes.map(({ agent, holder }) => (isWhole(holder) ? agent.start() : agent.restart())));
	}

	#look(): void {
		const broken = [...this.#nodes.values()].filter(({ holder }) => !isWhole(holder));
		// An agent that does not start is restarted automatically; its log shows the reason.
		void Promise.allSettled(broken.map(({ agent }) => agent.restart())).then(() => {
			if (!this.#stopped) this.#nextLook = this.#options.clock.after(lookMs, () => this.#look());
		});
	}

	async remove(name: string): Promise<void> {
		const node = this.#nodes.get(name);
		if (node !== undefined) await this.#end(node.agent);
		this.#options.tokens.revoke(Object.values(node?.tokens ?? {}));
		this.#nodes.delete(name);
		await this.#machine.removeNode(name);
		await rm(this.#options.layout.node(name).directory, { recursive: true, force: true });
	}

	async #end(agent: AgentProcess): Promise<void> {
		const { shutdownGraceMs } = readKubeletConfiguration(this.#options.kubelet);
		if (shutdownGraceMs > 0) await agent.shutDown(shutdownGraceMs + 5000);
		await agent.stop();
	}

	dial(name: string): Promise<Duplex> {
		return new Promise((resolve, reject) => {
			const socket = connect(this.#options.layout.node(name).agentSocket, () => {
				socket.off("error", reject);
				resolve(socket);
			});
			socket.once("error", reject);
		});
	}

	agentPid(name: string): number | undefined {
		return this.#nodes.get(name)?.agent.pid;
	}

	limitations(name: string): readonly string[] {
		return this.#nodes.get(name)?.agent.limitations ?? [];
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#nextLook.cancel();
		await Promise.all([...this.#nodes.values()].map(({ agent }) => this.#end(agent)));
		this.#puller.stop();
		await this.#stopDns();
		await this.#machine.destroy();
	}
}

/** For all clusters of a user's session, or of tests. */
function imagesOfEnvironment(): ImageSource {
	return imageSources.find((source) => source === process.env.COX_IMAGES) ?? "auto";
}

/** What a private containerd needs, each with its remedy. */
function missingForContainerd(mode: Machine["mode"]): string[] {
	if (mode === "rootless") return ["--runtime containerd needs root"];
	const folders = toolPath.split(":");
	return ["containerd", "runc"]
		.filter((program) => !folders.some((folder) => isExecutable(join(folder, program))))
		.map((program) => `--runtime containerd needs the program ${program}: sudo apt-get install ${program}`);
}

/** Without directories inside others. */
function outermost(directories: readonly string[]): string[] {
	return [...new Set(directories)].filter(
		(directory) => !directories.some((other) => other !== directory && directory.startsWith(`${other}/`)),
	);
}
