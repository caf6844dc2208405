/** The client's toy server with additions for agents: merge patches, graceful deletion of pods. */
import { createClient } from "../../client/requests.ts";
import { ToyServer } from "../../client/testing/toy-server.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import type { ApiRequest, Handler } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { type Clock, timestamp } from "../../core/time/clock.ts";
import type { Event, Pod } from "../../kinds/generated/types.ts";

export class TestServer {
	readonly toy: ToyServer;
	readonly client;
	/** Number of writes to pods' status subresources. */
	statusWrites = 0;
	/** Number of requests to delete pods immediately. */
	deletions = 0;
	/** Names of pods that are not removed yet, regardless of who deletes them. */
	readonly finalizers = new Set<string>();
	readonly #clock: Clock;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.toy = new ToyServer(clock);
		const user = { name: "system:node:test", groups: ["system:nodes"] };
		this.client = createClient(memoryTransport(this.handle, user), { clock });
	}

	pod(name: string, namespace = "default"): Pod | undefined {
		// The path shows that it is a pod.
		return this.toy.objects.get(`${namespace}/pods/${name}`) as Pod | undefined;
	}

	/** `reason: message` of the Events about an object, in the order of their creation. */
	events(name: string): string[] {
		const events = this.toy.of("events") as unknown as Event[];
		return events
			.filter(({ involvedObject }) => involvedObject.name === name)
			.map(({ reason, message }) => `${reason}: ${message}`);
	}

	readonly handle: Handler = async (request) => {
		if (request.method === "PATCH") return this.#patch(request);
		if (request.method === "DELETE" && request.path.includes("/pods/")) {
			const grace = (bodyOf(request) as { gracePeriodSeconds?: number } | undefined)?.gracePeriodSeconds;
			const pod = this.#find(request.path);
			if (pod !== undefined && grace !== 0) return this.#mark(request, pod, grace);
			this.deletions++;
			if (pod !== undefined && this.finalizers.has(pod.metadata.name)) return this.#mark(request, pod, grace);
		}
		return this.toy.handle(request);
	};

	#find(path: string): KubeObject | undefined {
		const [namespace, plural, name] = path.split("/namespaces/")[1]?.split("/") ?? [];
		if (name === undefined) return this.toy.objects.get(`/nodes/${path.split("/nodes/")[1]?.split("/")[0]}`);
		return this.toy.objects.get(`${namespace}/${plural}/${name}`);
	}

	#mark(request: ApiRequest, pod: KubeObject, grace: number | undefined) {
		const spec = (pod as Pod).spec;
		const seconds = grace ?? spec.terminationGracePeriodSeconds ?? 30;
		const metadata = {
			...pod.metadata,
			deletionTimestamp: timestamp(this.#clock.now() + seconds * 1000),
			deletionGracePeriodSeconds: seconds,
		};
		return this.toy.handle({ ...request, method: "PATCH", body: { object: { ...pod, metadata } } });
	}

	#patch(request: ApiRequest) {
		const old = this.#find(request.path);
		const path = request.path.replace(/\/status$/, "");
		if (old === undefined) return this.toy.handle({ ...request, path });
		if (path !== request.path && path.includes("/pods/")) this.statusWrites++;
		const object = merge(old, bodyOf(request)) as KubeObject;
		return this.toy.handle({
			...request,
			path,
			body: { object: { ...object, metadata: { ...old.metadata, ...object.metadata } } },
		});
	}
}

function bodyOf(request: ApiRequest): unknown {
	return request.body !== undefined && "object" in request.body ? request.body.object : undefined;
}

/** A JSON merge patch, except that lists of conditions are merged by type. */
function merge(old: unknown, patch: unknown): unknown {
	if (Array.isArray(patch)) return mergeList(old, patch);
	if (typeof patch !== "object" || patch === null) return patch;
	const merged: Record<string, unknown> = typeof old === "object" ? { ...old } : {};
	for (const [key, value] of Object.entries(patch)) {
		if (value === null) delete merged[key];
		else merged[key] = merge(merged[key], value);
	}
	return merged;
}

function mergeList(old: unknown, patch: unknown[]): unknown[] {
	const keyed = (entry: unknown) => (entry as { type?: string; status?: string }).status !== undefined;
	if (!Array.isArray(old) || !patch.every(keyed)) return patch.filter((entry) => !("$patch" in Object(entry)));
	const byType = new Map(old.map((entry: { type: string }) => [entry.type, entry]));
	for (const entry of patch as { type: string }[])
		byType.set(entry.type, merge(byType.get(entry.type), entry) as { type: string });
	return [...byType.values()];
}
