/**
 * Registers the node and reports that it is alive: renews a Lease often and writes the Node's status rarely (KEP-589).
 */
import type { Client } from "../../client/client.ts";
import { isReason } from "../../core/errors.ts";
import type { Draft } from "../../core/object.ts";
import { type Clock, microTimestamp, parseTimestamp, type Timer } from "../../core/time/clock.ts";
import { leases } from "../../kinds/core/lease.ts";
import { isNodeReady, nodes } from "../../kinds/core/node.ts";
import type { Lease, Node, NodeStatus } from "../../kinds/generated/types.ts";
import {
	type NodeFacts,
	type NodeImages,
	needsStatusWrite,
	nodeImages,
	nodeStatus,
	nodeStatusPatch,
	ownLabels,
} from "./node-object.ts";
import { noPressure, type Pressure } from "./pressure.ts";

const leaseNamespace = "kube-node-lease";
export const usualLeaseMs = 40_000;
/** A lease is renewed four times per duration, like by a kubelet. */
export const renewals = 4;
/** The maximum time between two writes of the Node's status. */
export const usualStatusMs = 300_000;
const retryMs = 1000;

export interface Heartbeat {
	/** The Node as last registered or written. */
	readonly node: Node;
	/** Reads the Node again: its labels or taints may have changed. */
	refresh(): Promise<void>;
	/** Writes the status now if it has changed. */
	statusChanged(): Promise<void>;
	stop(): void;
}

/**
 * Registers the node, then renews its lease every 10 s.
 * @param leaseMs duration of the lease, default 40 s
 * @param limitations features that the node lacks, reported in its Ready condition
 * @throws ApiError if the node cannot be registered before the signal aborts
 */
export async function startHeartbeat(options: {
	client: Client;
	clock: Clock;
	facts: NodeFacts;
	limitations: readonly string[];
	/** The current pressure; absent: there is never any. */
	pressure?: () => Pressure;
	/** Whether the node is about to stop; absent: it is not. */
	isShuttingDown?: () => boolean;
	/** Absent: the node has none. */
	images?: NodeImages | undefined;
	leaseMs?: number | undefined;
	/** Called when the node becomes Ready: after its registration, or after it was considered lost. */
	becameReady?: () => void;
	signal: AbortSignal;
}): Promise<Heartbeat> {
	const { client, clock, facts, limitations, leaseMs = usualLeaseMs, signal } = options;
	const { pressure = () => noPressure, becameReady = () => {}, isShuttingDown = () => false, images } = options;
	const statusMs = Math.max(usualStatusMs, leaseMs);
	const registered = async () => {
		const { node, wasReady } = await register(options);
		if (!wasReady) becameReady();
		return node;
	};
	let node = await registered();
	let lease = await ensureLease(client, clock, node, leaseMs);
	let timer: Timer | undefined;
	let stopped = false;

	const writeStatus = async () => {
		const status = nodeStatus(facts, node.status, clock.now(), limitations, pressure(), isShuttingDown());
		const wanted = { ...status, ...nodeImages(images?.(), node.status?.images) };
		if (!needsStatusWrite(node, wanted, clock.now(), statusMs)) return;
		const wasReady = isNodeReady(node);
		node = await writeNodeStatus(client, facts, node, wanted);
		if (!wasReady && isNodeReady(node)) becameReady();
	};
	const beat = async () => {
		try {
			lease = await renew(client, clock, node, lease, leaseMs);
			// As a kubelet does: a controller that considered the node lost has overwritten its status with Unknown.
			node = await client.get(nodes, { name: facts.name });
			await writeStatus();
		} catch (error) {
			// The Node was deleted: it is registered again, as by a kubelet.
			if (isReason(error, "NotFound")) node = await registered().catch(() => node);
			// After any other error the next heartbeat retries, long before the lease expires.
		}
		schedule();
	};
	const schedule = () => {
		if (stopped) return;
		// Random, so that a thousand nodes that started together do not send their heartbeats together.
		const delayMs = (leaseMs / renewals) * (0.96 + 0.08 * clock.random());
		timer = clock.after(delayMs, () => void beat());
	};
	const stop = () => {
		stopped = true;
		timer?.cancel();
	};
	signal.addEventListener("abort", stop, { once: true });
	schedule();
	return {
		get node() {
			return node;
		},
		async refresh() {
			node = await client.get(nodes, { name: facts.name });
		},
		statusChanged: writeStatus,
		stop,
	};
}

interface Registered {
	node: Node;
	wasReady: boolean;
}

async function register(options: {
	client: Client;
	clock: Clock;
	facts: NodeFacts;
	limitations: readonly string[];
	signal: AbortSignal;
}): Promise<Registered> {
	const { client, clock, facts, limitations, signal } = options;
	for (;;) {
		try {
			return await registerOnce(client, clock, facts, limitations);
		} catch (error) {
			if (signal.aborted || isReason(error, "Unauthorized")) throw error;
			// Webhooks and policies may refuse what a known node reports. It waits, because a server that does not start
			// cannot be freed of them.
			if (isReason(error, "Invalid", "Forbidden") && (await known(client, facts.name)) === undefined) throw error;
			await clock.sleep(retryMs, signal);
		}
	}
}

async function registerOnce(
	client: Client,
	clock: Clock,
	facts: NodeFacts,
	limitations: readonly string[],
): Promise<Registered> {
	const draft: Draft<Node> = {
		metadata: {
			name: facts.name,
			labels: ownLabels(facts),
			annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true", ...facts.annotations },
		},
		spec: {
			...(facts.podCidr === undefined ? {} : { podCIDR: facts.podCidr, podCIDRs: [facts.podCidr] }),
			...(facts.taints.length === 0 ? {} : { taints: [...facts.taints] }),
		},
		status: nodeStatus(facts, undefined, clock.now(), limitations),
	};
	let existing: Node | undefined;
	try {
		const created = await client.create(nodes, draft);
		// The server decides whether a create may set the status. If it did not, the status is written separately.
		if (isNodeReady(created)) return { node: created, wasReady: false };
		const status = nodeStatus(facts, created.status, clock.now(), limitations);
		return { node: await writeNodeStatus(client, facts, created, status), wasReady: false };
	} catch (error) {
		// Admission may refuse to create a node that exists already; it is asked first.
		existing = await known(client, facts.name);
		if (existing === undefined) throw error;
	}
	const labels = ownLabels(facts);
	let node = existing;
	const wasReady = isNodeReady(node);
	const differs = Object.entries(labels).some(([key, value]) => node.metadata.labels?.[key] !== value);
	if (differs)
		node = await client.patch(nodes, { name: facts.name }, { type: "merge", patch: { metadata: { labels } } });
	const status = nodeStatus(facts, node.status, clock.now(), limitations);
	return { node: await writeNodeStatus(client, facts, node, status), wasReady };
}

async function known(client: Client, name: string): Promise<Node | undefined> {
	return client.get(nodes, { name }).catch(() => undefined);
}

async function writeNodeStatus(client: Client, facts: NodeFacts, node: Node, status: NodeStatus): Promise<Node> {
	const patch = nodeStatusPatch(node.status, status);
	return client.patch(nodes, { name: facts.name }, { type: "strategic", patch }, "status");
}

async function ensureLease(client: Client, clock: Clock, node: Node, leaseMs: number): Promise<Lease | undefined> {
	const draft: Draft<Lease> = {
		metadata: {
			name: node.metadata.name,
			namespace: leaseNamespace,
			ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node.metadata.name, uid: node.metadata.uid }],
		},
		spec: {
			holderIdentity: node.metadata.name,
			leaseDurationSeconds: leaseMs / 1000,
			renewTime: microTimestamp(clock.now()),
		},
	};
	try {
		return await client.create(leases, draft);
	} catch {
		// It exists already, or its namespace does not exist yet: the next heartbeat retries.
		return undefined;
	}
}

async function renew(
	client: Client,
	clock: Clock,
	node: Node,
	lease: Lease | undefined,
	leaseMs: number,
): Promise<Lease | undefined> {
	const ref = { namespace: leaseNamespace, name: node.metadata.name };
	try {
		if (lease === undefined) lease = await client.get(leases, ref);
		const spec = {
			...lease.spec,
			holderIdentity: node.metadata.name,
			leaseDurationSeconds: leaseMs / 1000,
			renewTime: microTimestamp(clock.now()),
		};
		return await client.update(leases, { ...lease, spec });
	} catch (error) {
		if (isReason(error, "NotFound")) return ensureLease(client, clock, node, leaseMs);
		if (isReason(error, "Conflict")) return undefined;
		throw error;
	}
}

/**
 * For a node with a long lease that is removed: changes the lease as if it had been renewed every 10 s until now, so
 * that the loss is detected as soon as for any other node.
 */
export async function shortenLease(client: Client, clock: Clock, nodeName: string): Promise<void> {
	try {
		const lease = await client.get(leases, { namespace: leaseNamespace, name: nodeName });
		const renewedMs = parseTimestamp(lease.spec.renewTime ?? "");
		const sinceMs = (clock.now() - renewedMs) % (usualLeaseMs / renewals) || 0;
		const spec = {
			...lease.spec,
			leaseDurationSeconds: usualLeaseMs / 1000,
			renewTime: microTimestamp(clock.now() - sinceMs),
		};
		await client.update(leases, { ...lease, spec });
	} catch (error) {
		if (!isReason(error, "NotFound", "Conflict", "ServiceUnavailable")) throw error;
	}
}
