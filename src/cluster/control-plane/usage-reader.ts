/**
 * Resource usage of pods and nodes, scraped from agents on request, and then every 15 seconds for a minute: a cluster
 * without autoscalers in which nobody looks pays nothing.
 */
import type { NodeUsage, PodUsage } from "../../api/server/node-usage.ts";
import type { Client } from "../../client/client.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import type { MetricsSource } from "../../controllers/horizontalpodautoscaler/metrics.ts";
import { formatQuantity } from "../../core/quantity.ts";
import { type Clock, parseTimestamp, type Timer } from "../../core/time/clock.ts";
import { nodes } from "../../kinds/core/node.ts";

/** As metrics-server has it. */
const periodMs = 15_000;
const demandMs = 60_000;
/** Readings closer to each other say little about a rate. */
const shortestWindowMs = 5000;
/** Times of containers' starts are whole seconds. */
const precisionMs = 1000;
const largestBatch = 16;

export interface UsageReader {
	/** Of every node that answers, at most a few seconds old. */
	read(): Promise<readonly NodeUsage[]>;
	/** For autoscalers: the last values. A request starts the scraping. */
	readonly metrics: MetricsSource;
	stop(): void;
}

export interface UsageOptions {
	client: Client;
	informers: InformerCache;
	clock: Clock & { hold?(): () => void };
}

/** `/stats/summary` of an agent, as far as it is read. */
interface Summary {
	node?: { cpu?: { usageNanoCores?: number }; memory?: { workingSetBytes?: number } };
	pods?: {
		podRef: { name: string; namespace: string; uid: string };
		containers?: ContainerSummary[];
	}[];
}

interface ContainerSummary {
	name: string;
	startTime?: string;
	cpu?: { usageCoreNanoSeconds?: number };
	memory?: { workingSetBytes?: number };
}

/** A reading of a container's CPU time, by which the next one is measured. */
interface Mark {
	atMs: number;
	startTime: string;
	cpuNanoseconds: number;
}

export function createUsageReader(options: UsageOptions): UsageReader {
	return new AgentUsage(options);
}

class AgentUsage implements UsageReader {
	readonly metrics: MetricsSource;
	readonly #options: UsageOptions;
	readonly #latest = new Map<string, NodeUsage>();
	/** Pods of the latest readings by uid. */
	readonly #pods = new Map<string, PodUsage>();
	readonly #marks = new Map<string, Map<string, Mark>>();
	/** Nodes that someone is interested in, and until when. */
	readonly #demand = new Map<string, number>();
	readonly #reading = new Map<string, Promise<void>>();
	/** Nodes whose latest reading lacks a container that had only just started. */
	readonly #incomplete = new Set<string>();
	#timer: Timer | undefined;
	#timerAtMs = 0;
	#stopped = false;

	constructor(options: UsageOptions) {
		this.#options = options;
		this.metrics = {
			podUsage: ({ metadata, spec }) => {
				const usage = this.#pods.get(metadata.uid);
				const { nodeName = "" } = spec;
				if (nodeName !== "") {
					this.#want([nodeName], usage === undefined ? shortestWindowMs : periodMs);
					// Not later than the client will ask again.
					if (usage === undefined) this.#schedule(shortestWindowMs);
				}
				if (usage === undefined || options.clock.now() - usage.atMs > demandMs) return undefined;
				const containers = usage.containers.map(({ name, cpuNanoCores, memoryBytes }) => [
					name,
					{
						cpu: formatQuantity(BigInt(Math.round(cpuNanoCores)), "decimal"),
						memory: formatQuantity(BigInt(memoryBytes) * 1_000_000_000n, "binary"),
					},
				]);
				// Created from the names and quantities above.
				return { atMs: usage.atMs, windowMs: usage.windowMs, containers: Object.fromEntries(containers) };
			},
		};
	}

	async read(): Promise<readonly NodeUsage[]> {
		const { informers, clock } = this.#options;
		await informers.of(nodes).reached(0);
		const names = [...informers.of(nodes).list()].map(({ metadata }) => metadata.name);
		for (const name of names) this.#want([name], this.#incomplete.has(name) ? precisionMs : shortestWindowMs);
		await Promise.all(this.#reading.values());
		const known = names.map((name) => this.#latest.get(name));
		return known.filter((usage): usage is NodeUsage => usage !== undefined && clock.now() - usage.atMs <= demandMs);
	}

	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
	}

	/** Reads them now if the latest reading is older than this, and from now on. */
	#want(names: readonly string[], oldestMs: number): void {
		const nowMs = this.#options.clock.now();
		for (const name of names) this.#demand.set(name, nowMs + demandMs);
		const due = names.filter((name) => nowMs - (this.#latest.get(name)?.atMs ?? 0) >= oldestMs);
		if (due.length > 0) this.#readAll(due);
		this.#schedule();
	}

	#schedule(delayMs = periodMs): void {
		const { clock } = this.#options;
		const atMs = clock.now() + delayMs;
		if (this.#stopped || (this.#timer !== undefined && this.#timerAtMs <= atMs)) return;
		this.#timer?.cancel();
		this.#timerAtMs = atMs;
		this.#timer = clock.after(delayMs, () => {
			this.#timer = undefined;
			for (const [name, untilMs] of this.#demand) if (untilMs < clock.now()) this.#forget(name);
			if (this.#demand.size === 0) return;
			this.#readAll([...this.#demand.keys()]);
			this.#schedule();
		});
	}

	#forget(name: string): void {
		this.#demand.delete(name);
		this.#marks.delete(name);
		this.#incomplete.delete(name);
		this.#replace(name, undefined);
	}

	/** Runs a few sequences concurrently. Virtual time does not advance during this: agents respond in no time. */
	#readAll(names: readonly string[]): void {
		const waiting = names.filter((name) => !this.#reading.has(name));
		if (waiting.length === 0 || this.#stopped) return;
		const release = this.#options.clock.hold?.();
		const queue = waiting.values();
		const line = async () => {
			for (const name of queue) await this.#readNode(name);
		};
		const all = Promise.all(Array.from({ length: Math.min(largestBatch, waiting.length) }, line)).then(() => {
			for (const name of waiting) this.#reading.delete(name);
			release?.();
		});
		for (const name of waiting) this.#reading.set(name, all);
	}

	async #readNode(name: string): Promise<void> {
		const { client, clock } = this.#options;
		try {
			const answer = await client.raw("GET", `/api/v1/nodes/${encodeURIComponent(name)}/proxy/stats/summary`);
			// The response of agents to this path.
			const summary = (typeof answer === "string" ? JSON.parse(answer) : answer) as Summary;
			this.#replace(name, this.#usageOf(name, summary, clock.now()));
		} catch {
			// A node that does not respond has no metrics: its last ones become outdated.
		}
	}

	#replace(name: string, usage: NodeUsage | undefined): void {
		for (const { uid } of this.#latest.get(name)?.pods ?? []) this.#pods.delete(uid);
		if (usage === undefined) {
			this.#latest.delete(name);
			return;
		}
		this.#latest.set(name, usage);
		for (const pod of usage.pods) this.#pods.set(pod.uid, pod);
	}

	#usageOf(node: string, summary: Summary, nowMs: number): NodeUsage {
		const before = this.#marks.get(node);
		const marks = new Map<string, Mark>();
		this.#marks.set(node, marks);
		const pods: PodUsage[] = [];
		this.#incomplete.delete(node);
		for (const { podRef, containers = [] } of summary.pods ?? []) {
			const used = containers.map((container) =>
				containerUsage(container, `${podRef.uid}/${container.name}`, before, marks, nowMs),
			);
			const known = used.filter((one) => one !== undefined);
			if (known.length < used.length || used.length === 0) {
				this.#incomplete.add(node);
				continue;
			}
			const windowMs = Math.min(...known.map((one) => one.windowMs));
			const { name, namespace, uid } = podRef;
			pods.push({ name, namespace, uid, atMs: nowMs, windowMs, containers: known });
		}
		const cpuNanoCores = summary.node?.cpu?.usageNanoCores ?? 0;
		const memoryBytes = summary.node?.memory?.workingSetBytes ?? 0;
		return { name: node, atMs: nowMs, windowMs: periodMs, cpuNanoCores, memoryBytes, pods };
	}
}

/**
 * CPU usage since the last reading; without one, since the container's start. Undefined for a container that has just
 * started.
 */
function containerUsage(
	{ name, startTime = "", cpu, memory }: ContainerSummary,
	key: string,
	before: ReadonlyMap<string, Mark> | undefined,
	marks: Map<string, Mark>,
	nowMs: number,
) {
	const cpuNanoseconds = cpu?.usageCoreNanoSeconds ?? 0;
	const last = before?.get(key);
	const comparable = last !== undefined && last.startTime === startTime && last.cpuNanoseconds <= cpuNanoseconds;
	const sinceLastMs = comparable ? nowMs - last.atMs : 0;
	const from =
		comparable && sinceLastMs >= precisionMs ? last : { atMs: parseTimestamp(startTime), startTime, cpuNanoseconds: 0 };
	// Frequent requests do not shorten the interval of the measured rate.
	marks.set(key, comparable && sinceLastMs < shortestWindowMs ? last : { atMs: nowMs, startTime, cpuNanoseconds });
	const windowMs = nowMs - from.atMs;
	if (!(windowMs >= precisionMs)) return undefined;
	const cpuNanoCores = ((cpuNanoseconds - from.cpuNanoseconds) / windowMs) * 1000;
	return { name, cpuNanoCores, memoryBytes: memory?.workingSetBytes ?? 0, windowMs };
}
