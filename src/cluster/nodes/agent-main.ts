/**
 * The agent process of one node, started by agent-process.ts inside the node's namespaces. Its only argument is its
 * configuration file.
 */

import { readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { Client } from "../../client/client.ts";
import { createInformerCache } from "../../client/informer.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import { createClient } from "../../client/requests.ts";
import { clientMetrics } from "../../client/transports/client-metrics.ts";
import { httpTransport } from "../../client/transports/http.ts";
import { endedLogsPath, wireLogs } from "../../core/ended-log.ts";
import { messageOf } from "../../core/errors.ts";
import { MetricRegistry } from "../../core/metrics/registry.ts";
import { systemClock } from "../../core/time/clock.ts";
import { logError } from "../../linux/process-log.ts";
import { createLinuxNetwork } from "../../network/linux/network.ts";
import type { NodeNetwork } from "../../network/network.ts";
import { type Agent, startAgent } from "../../node/agent.ts";
import { readKubeletConfiguration } from "../../node/context/kubelet-configuration.ts";
import { LogKeeper } from "../../node/history/log-keeper.ts";
import { createSpool } from "../../node/history/spool.ts";
import { nodePodSource, podsOfNode } from "../../node/pod-source.ts";
import { viewPath } from "../../node/volumes/view-path.ts";
import type { PullFunction, PullResult } from "../../runtime/process/images/image-service.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { collectStartGarbage } from "../files/start-garbage.ts";
import { dnsAddress } from "../settings/cluster-network.ts";
import type { AgentConfig, AgentMessage, AgentOrder, AgentTokens } from "./agent-protocol.ts";
import { openRuntime } from "./agent-runtime.ts";
import { startNodeServices } from "./node-services.ts";
import { guardedNetwork } from "./policy-guard.ts";

const clock = systemClock();
/** Metrics of this process. */
const metrics = new MetricRegistry();
const answered = clientMetrics(metrics);
const closers: (() => Promise<unknown>)[] = [];
// Written by process-nodes.ts.
const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as AgentConfig;

const configuration = readKubeletConfiguration(config.kubelet);
const pullsAtOnce = configuration.serializeImagePulls
	? 1
	: (configuration.maxParallelImagePulls ?? Number.POSITIVE_INFINITY);

function tell(message: AgentMessage): void {
	process.send?.(message, undefined, undefined, () => {});
}

/** A client with one of the agent's identities, and an informer cache that uses it. */
function connect(token: string, userAgent: string): { client: Client; informers: InformerCache } {
	const client = createClient(httpTransport({ socketPath: config.apiSocket, token, clock, answered }), {
		userAgent,
		clock,
	});
	const informers = createInformerCache(client, {
		clock,
		onError: (error, what) => logError(`${userAgent}: ${what}`, error),
		withoutManagedFields: true,
	});
	closers.push(async () => {
		informers.close();
		await client.close();
	});
	return { client, informers };
}

/** What the server does for this agent, by ID. */
const asked = new Map<number, (result: PullResult) => void>();
let lastAsked = 0;

/** Has the server pull an image: this process has only the node's network. */
const pull: PullFunction = (wish, signal) =>
	new Promise((resolve) => {
		const id = ++lastAsked;
		const cancel = () => tell({ type: "cancelPull", id });
		signal.addEventListener("abort", cancel, { once: true });
		asked.set(id, (result) => {
			signal.removeEventListener("abort", cancel);
			resolve(result);
		});
		tell({ type: "pull", id, wish });
	});

const removeUnused = () =>
	new Promise<void>((resolve) => {
		const id = ++lastAsked;
		asked.set(id, () => resolve());
		tell({ type: "removeUnusedImages", id });
	});

/** The parts that need no API server: the runtime, which adopts containers, and the network. */
async function prepare(): Promise<{ runtime: Runtime; network: NodeNetwork }> {
	const [runtime, network] = await Promise.all([
		openRuntime(config, { clock, pull, removeUnused, pullsAtOnce }),
		createLinuxNetwork({
			directory: `${config.directory}/network`,
			nodeAddress: config.address,
			podCidr: config.podCidr,
			serviceCidr: config.serviceCidr,
		}),
	]);
	closers.push(
		() => runtime.close(),
		() => network.close(),
	);
	return { runtime, network };
}

async function start(tokens: AgentTokens): Promise<void> {
	const { runtime, network } = await prepared;
	await Promise.all([runAgent(tokens, runtime, network), serveNode(tokens, network)]);
	tell({ type: "ready", limitations: await runtime.limitations() });
	collectStartGarbage();
}

async function runAgent({ node, policies }: AgentTokens, runtime: Runtime, network: NodeNetwork): Promise<void> {
	const { client, informers } = connect(node, "kubelet");
	// Machines have links there now and then; later, no link that a pod makes is followed.
	const root = await viewPath(config.viewDirectory, "/var/lib/kubelet");
	const logKeeper = new LogKeeper({
		clock,
		spool: createSpool(`${config.directory}/history`),
		async deliver(logs) {
			// The server's response: see api/paths/receive-logs.ts.
			const { done } = (await client.raw("POST", endedLogsPath, wireLogs(logs))) as { done: boolean[] };
			return done;
		},
		onError: (error) => logError("logs of Jobs", error),
	});
	closers.push(() => logKeeper.stop());
	const guard = await guardedNetwork({
		...connect(policies, "network-policies"),
		network,
		own: podsOfNode(informers, config.node),
		clock,
		config,
	});
	closers.push(async () => guard.stop());
	const agent = await startAgent({
		client,
		clock,
		runtime,
		network: guard.network,
		informers,
		imageDirectory: config.images.store,
		manifests: configuration.staticPodPath ?? config.manifests,
		pods: nodePodSource(informers, config.node),
		node: { name: config.node, addresses: [config.address], labels: config.labels, podCidr: config.podCidr },
		directories: {
			view: config.viewDirectory,
			root,
			logs: await viewPath(config.viewDirectory, "/var/log"),
		},
		clusterDns: dnsAddress(config),
		metrics,
		logKeeper,
		configuration,
	});
	running = agent;
	closers.push(() => agent.stop());
	const server = await serveAgent(agent, config.agentSocket);
	closers.push(async () => server.close());
}

async function serveNode(tokens: AgentTokens, network: NodeNetwork): Promise<void> {
	const { informers: proxy } = connect(tokens.proxy, "kube-proxy");
	const { informers: dns } = connect(tokens.dns, "coredns");
	const stateMetricsToken = tokens.stateMetrics;
	const services = await startNodeServices({ proxy, dns, network, clock, config, stateMetricsToken });
	closers.push(() => services.close());
}

function serveAgent(agent: Agent, socketPath: string): Promise<Server> {
	rmSync(socketPath, { force: true });
	const server = createServer((socket) => agent.connection(socket));
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(socketPath, () => resolve(server));
	});
}

let running: Agent | undefined;
let stopping = false;

/** Containers keep running; the next agent adopts them. */
async function stop(exitCode: number): Promise<void> {
	if (stopping) return;
	stopping = true;
	for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => logError("stopping", error));
	process.exit(exitCode);
}

function fail(error: unknown): void {
	logError("start", error);
	tell({ type: "failed", message: messageOf(error) });
	void stop(1);
}

// While the API server starts.
const prepared = prepare();
prepared.catch(fail);
process.on("message", (order: AgentOrder) => {
	if (order.type === "stop") return void stop(0);
	if (order.type === "shutDown")
		return void (running?.shutDown() ?? Promise.resolve())
			.catch((error: unknown) => logError("shutting down", error))
			.then(() => tell({ type: "shutDown" }));
	if (order.type === "pulled") {
		asked.get(order.id)?.(order.result);
		asked.delete(order.id);
		return;
	}
	start(order.tokens).catch(fail);
});
/** The time limit for releasing resources when the server is unreachable. */
const letGoMs = 200;

// The server has ended; the next one starts an agent of its own, and two must not manage the same containers. Pending
// Events would be retried for seconds.
process.on("disconnect", () => {
	clock.after(letGoMs, () => process.exit(0));
	void stop(0);
});
process.on("SIGTERM", () => void stop(0));
process.on("uncaughtException", (error) => {
	logError("uncaught", error);
	process.exit(1);
});
