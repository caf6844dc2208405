/** A node's network whose pods are protected by network policies before they start. */
import type { Client } from "../../client/client.ts";
import { createEventRecorder } from "../../client/events/recorder.ts";
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import { messageOf } from "../../core/errors.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { logError } from "../../linux/process-log.ts";
import { createPolicyFilter } from "../../network/linux/policy-table.ts";
import type { NodeNetwork } from "../../network/network.ts";
import { startPolicyEnforcer } from "../../proxy/policy/enforcer.ts";
import type { AddressedPod } from "../../proxy/policy/plan.ts";
import { type ClusterNetwork, dnsAddress, stateMetricsAddress, stateMetricsPort } from "../settings/cluster-network.ts";

interface PolicyGuardOptions {
	network: NodeNetwork;
	/** The pods of this node. */
	own: Informer<Pod>;
	/** With the rights of network policies, as is the client, which writes Events. */
	informers: InformerCache;
	client: Client;
	clock: Clock;
	config: Pick<ClusterNetwork, "serviceCidr"> & { node: string };
}

export async function guardedNetwork(options: PolicyGuardOptions): Promise<{ network: NodeNetwork; stop(): void }> {
	const { network, own, informers, client, clock, config } = options;
	const attached = [...(await network.attached())].map(([uid, { addresses }]): [string, string] => [
		uid,
		addresses[0] ?? "",
	]);
	const filter = createPolicyFilter({ nodeAddress: network.nodeAddress });
	const events = createEventRecorder(client, { clock });
	const enforcer = startPolicyEnforcer({
		informers,
		own,
		clock,
		served: servedPods(config),
		apply: (rules) => filter.set(rules),
		attached: new Map(attached),
		onError: (error) => logError("network policies", error),
		notEnforced: (policy, error) =>
			events.record({
				regarding: policy,
				type: "Warning",
				reason: "NotEnforced",
				message: `The policy is not in force for pods of this node: ${messageOf(error)}`,
				component: "network-policy",
				host: config.node,
			}),
	});
	return {
		network: {
			...network,
			async attachPod(pod) {
				const attached = await network.attachPod(pod);
				for (const address of attached.addresses) await enforcer.protect(pod.uid, address);
				return attached;
			},
			async detachPod(uid) {
				await network.detachPod(uid);
				enforcer.release(uid);
			},
		},
		stop: () => enforcer.stop(),
	};
}

/** Upstream, these are pods with the labels of their Services, and policies name them so. */
function servedPods(network: Pick<ClusterNetwork, "serviceCidr">): AddressedPod[] {
	const namespace = "kube-system";
	return [
		{
			namespace,
			labels: { "k8s-app": "kube-dns" },
			address: dnsAddress(network),
			ports: [
				{ name: "dns", protocol: "UDP", port: 53 },
				{ name: "dns-tcp", protocol: "TCP", port: 53 },
			],
		},
		{
			namespace,
			labels: { "app.kubernetes.io/name": "kube-state-metrics" },
			address: stateMetricsAddress(network),
			ports: [{ name: "http-metrics", protocol: "TCP", port: stateMetricsPort }],
		},
	];
}
