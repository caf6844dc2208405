/**
 * What Kubernetes' conformance tests demand, as flows of our own: raw HTTP as a client of another language sends it,
 * and kubectl. COX_CONFORMANCE_KUBECONFIG names another cluster to try instead of fresh ones (a real Kubernetes,
 * say); COX_CONFORMANCE=all runs what takes minutes, too.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, inject, test, vi } from "vitest";
import { parse } from "yaml";
import { eventually, kubectlPath, type Output, run, succeeded, TestCluster } from "../e2e/cluster.ts";

// Objects are looked at as JSON, field by field, as a test in another language would.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

/** Waits minutes: left out of the everyday run. */
export const slow = process.env["COX_CONFORMANCE"] === "all" ? test : test.skip;

export interface Answer {
	status: number;
	body: Json;
	contentType: string;
	warnings: string[];
}

export interface WatchEvent {
	type: string;
	object: Json;
}

export const strategic = "application/strategic-merge-patch+json";
export const merge = "application/merge-patch+json";
export const json = "application/json-patch+json";

export class Target {
	readonly kubeconfig: string;
	readonly #cluster: TestCluster | undefined;
	readonly #end: (() => Promise<void>) | undefined;
	readonly #agent: Agent;
	readonly #server: URL;

	/** @param end ends the cluster, if it is the target's own */
	constructor(kubeconfig: string, cluster?: TestCluster, end?: () => Promise<void>) {
		this.kubeconfig = kubeconfig;
		this.#cluster = cluster;
		this.#end = end;
		const config: Json = parse(readFileSync(kubeconfig, "utf8"));
		const bytes = (text: string) => Buffer.from(text, "base64");
		const { user } = config.users[0];
		this.#server = new URL(config.clusters[0].cluster.server);
		this.#agent = new Agent({
			keepAlive: true,
			ca: bytes(config.clusters[0].cluster["certificate-authority-data"]),
			cert: bytes(user["client-certificate-data"]),
			key: bytes(user["client-key-data"]),
		});
	}

	/** @param nodes `shared`: the cluster of three nodes that this worker's files share; a number: one of its own */
	static async start(nodes: "shared" | number): Promise<Target> {
		const given = process.env["COX_CONFORMANCE_KUBECONFIG"];
		if (given !== undefined) return new Target(given);
		if (nodes !== "shared") {
			const cluster = await TestCluster.start("--nodes", String(nodes));
			return new Target(cluster.kubeconfig, cluster, () => cluster[Symbol.asyncDispose]());
		}
		const data = join(inject("conformanceClusters"), process.env["VITEST_POOL_ID"] ?? "1");
		const cluster = await TestCluster.startAt(data, "--nodes", "3");
		return new Target(cluster.kubeconfig, cluster);
	}

	/** Any status. */
	async send(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<Answer> {
		const response = await this.#open(method, path, body, headers);
		const chunks: Buffer[] = [];
		for await (const chunk of response) chunks.push(chunk);
		const text = Buffer.concat(chunks).toString();
		const contentType = response.headers["content-type"] ?? "";
		const warnings = [response.headers["warning"] ?? []].flat().map(String);
		const parsed: Json = /^application\/(?:[\w.-]+\+)?json/.test(contentType) ? JSON.parse(text) : text;
		return { status: response.statusCode ?? 0, body: parsed, contentType, warnings };
	}

	#open(method: string, path: string, body: Json, headers: Record<string, string>): Promise<IncomingMessage> {
		const text = body === undefined ? undefined : JSON.stringify(body);
		const request = this.#server.protocol === "https:" ? httpsRequest : httpRequest;
		return new Promise((resolve, reject) => {
			const sent = request(new URL(path, this.#server), {
				method,
				agent: this.#agent,
				headers: {
					Accept: "application/json",
					"User-Agent": "e2e.test/v1.36.0 (linux/amd64) kubernetes/conformance",
					...(text === undefined
						? {}
						: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
					...headers,
				},
			});
			sent.on("error", reject);
			sent.on("response", resolve);
			sent.end(text);
		});
	}

	async #good(method: string, path: string, body?: Json, headers?: Record<string, string>): Promise<Json> {
		const answer = await this.send(method, path, body, headers);
		if (answer.status >= 300) {
			const reason = typeof answer.body === "string" ? answer.body : `${answer.body.reason}: ${answer.body.message}`;
			throw new Error(`${method} ${path}: ${answer.status} ${reason}`);
		}
		return answer.body;
	}

	get(path: string): Promise<Json> {
		return this.#good("GET", path);
	}

	post(path: string, body: Json): Promise<Json> {
		return this.#good("POST", path, body);
	}

	put(path: string, body: Json): Promise<Json> {
		return this.#good("PUT", path, body);
	}

	patch(path: string, type: string, body: Json): Promise<Json> {
		return this.#good("PATCH", path, body, { "Content-Type": type });
	}

	delete(path: string, options?: Json): Promise<Json> {
		return this.#good("DELETE", path, options);
	}

	/** Reads, changes and writes until no other writer was in between. */
	async update(path: string, change: (object: Json) => void, subresource = ""): Promise<Json> {
		for (let attempt = 1; ; attempt++) {
			const object = await this.get(path);
			change(object);
			const answer = await this.send("PUT", path + subresource, object);
			if (answer.status < 300) return answer.body;
			if (answer.status !== 409 || attempt === 10)
				throw new Error(`PUT ${path}: ${answer.status} ${answer.body.message}`);
		}
	}

	/** Follows a watch until `found` is true of an event; returns that event. Fails when the time is up. */
	async watch(
		path: string,
		version: string,
		found: (event: WatchEvent) => boolean,
		limitMs = 60_000,
	): Promise<WatchEvent> {
		const separator = path.includes("?") ? "&" : "?";
		const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${version}&timeoutSeconds=300`;
		const response = await this.#open("GET", `${path}${separator}${query}`, undefined, {});
		const timer = setTimeout(() => response.destroy(new Error(`no such event within ${limitMs} ms: ${path}`)), limitMs);
		try {
			for await (const line of createInterface({ input: response })) {
				const event: WatchEvent = JSON.parse(line);
				if (event.type === "ERROR") throw new Error(JSON.stringify(event.object));
				if (event.type !== "BOOKMARK" && found(event)) return event;
			}
			throw new Error(`the watch ended: ${path}`);
		} finally {
			clearTimeout(timer);
			response.destroy();
		}
	}

	tryKubectl(args: readonly string[], input?: string): Promise<Output> {
		const home = this.#cluster?.data ?? "/tmp";
		return run(kubectlPath, args, {
			env: { KUBECONFIG: this.kubeconfig, HOME: home },
			...(input === undefined ? {} : { input }),
		});
	}

	async kubectl(...args: string[]): Promise<string> {
		return succeeded(`kubectl ${args.join(" ")}`, await this.tryKubectl(args));
	}

	async kubectlInput(input: string, ...args: string[]): Promise<string> {
		return succeeded(`kubectl ${args.join(" ")}`, await this.tryKubectl(args, input));
	}

	/** A namespace of its own, ready for pods. */
	async namespace(prefix: string): Promise<Namespace> {
		const name = `${prefix}-${randomBytes(3).toString("hex")}`;
		await this.post("/api/v1/namespaces", { metadata: { name, labels: { "e2e-run": "conformance" } } });
		await eventually(() => this.get(`/api/v1/namespaces/${name}/serviceaccounts/default`));
		await eventually(() => this.get(`/api/v1/namespaces/${name}/configmaps/kube-root-ca.crt`));
		return new Namespace(this, name);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#agent.destroy();
		await this.#end?.();
	}
}

/** A namespace, with the paths of what lies in it; it goes with the test. */
export class Namespace {
	readonly target: Target;
	readonly name: string;

	constructor(target: Target, name: string) {
		this.target = target;
		this.name = name;
	}

	core(resource: string, name = ""): string {
		return `/api/v1/namespaces/${this.name}/${resource}${name === "" ? "" : `/${name}`}`;
	}

	group(group: string, resource: string, name = ""): string {
		return `/apis/${group}/namespaces/${this.name}/${resource}${name === "" ? "" : `/${name}`}`;
	}

	apps(resource: string, name = ""): string {
		return this.group("apps/v1", resource, name);
	}

	batch(resource: string, name = ""): string {
		return this.group("batch/v1", resource, name);
	}

	kubectl(...args: string[]): Promise<string> {
		return this.target.kubectl("--namespace", this.name, ...args);
	}

	exec(pod: string, script: string): Promise<string> {
		return this.kubectl("exec", pod, "--", "/bin/sh", "-c", script);
	}

	async pods(selector = ""): Promise<Json[]> {
		const list = await this.target.get(`${this.core("pods")}?labelSelector=${encodeURIComponent(selector)}`);
		return list.items;
	}

	async run(pod: Json): Promise<Json> {
		await this.target.post(this.core("pods"), pod);
		return this.running(pod.metadata.name);
	}

	running(name: string, limitMs?: number): Promise<Json> {
		return this.until(this.core("pods", name), (pod) => isReady(pod), limitMs);
	}

	/** The pod once it has ended. */
	ended(name: string, limitMs?: number): Promise<Json> {
		return this.until(this.core("pods", name), (pod) => ["Succeeded", "Failed"].includes(pod.status.phase), limitMs);
	}

	/** The log of a pod that runs to its end, which must be a good one unless said otherwise. */
	async output(pod: Json, phase = "Succeeded"): Promise<string> {
		await this.target.post(this.core("pods"), pod);
		const { status } = await this.ended(pod.metadata.name);
		const log = await this.target.send("GET", `${this.core("pods", pod.metadata.name)}/log`, undefined, {
			Accept: "*/*",
		});
		if (status.phase !== phase) throw new Error(`pod ${pod.metadata.name}: ${JSON.stringify(status)}\n${log.body}`);
		return log.body;
	}

	until(path: string, holds: (object: Json) => boolean, limitMs = 45_000): Promise<Json> {
		return eventually(async () => {
			const object = await this.target.get(path);
			if (!holds(object))
				throw new Error(`${path} is not yet as it should be: ${JSON.stringify(object.status ?? object)}`);
			return object;
		}, limitMs);
	}

	gone(path: string, limitMs = 45_000): Promise<void> {
		return eventually(async () => {
			const { status } = await this.target.send("GET", path);
			if (status !== 404) throw new Error(`${path} is still there`);
		}, limitMs);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.target.delete(`/api/v1/namespaces/${this.name}`);
	}
}

export function isReady(pod: Json): boolean {
	return pod.status.phase === "Running" && condition(pod, "Ready")?.status === "True";
}

export function condition(object: Json, type: string): Json {
	return object.status?.conditions?.find((candidate: Json) => candidate.type === type);
}

/** Whether a condition holds, for that reason if one is given. */
export function isTrue(type: string, reason?: string): (object: Json) => boolean {
	return (object) => {
		const found = condition(object, type);
		return found?.status === "True" && (reason === undefined || found.reason === reason);
	};
}

/** How often the first container of a pod was started again. */
export function restarts(pod: Json): number {
	return pod.status.containerStatuses?.[0]?.restartCount ?? 0;
}

/**
 * Tests of one kind.
 * @param nodes how many nodes a cluster of their own has, for tests that fill or change nodes; `shared`: whatever others
 *   leave on the nodes does not matter
 */
export function conformance(what: string, nodes: "shared" | number, tests: (target: () => Target) => void): void {
	// Most of a test's time is waiting.
	vi.setConfig({ maxConcurrency: 16 });
	describe(`conformance: ${what}`, () => {
		let target: Target | undefined;
		beforeAll(async () => {
			target = await Target.start(nodes);
		});
		afterAll(() => target?.[Symbol.asyncDispose]());
		tests(() => {
			if (target === undefined) throw new Error("the cluster has not started");
			return target;
		});
	});
}
