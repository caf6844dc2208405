/** A pod with precomputed values that scheduling uses more than once. */

import { objectKey } from "../../core/object.ts";
import type { Labels } from "../../core/selection/selector.ts";
import type { Pod, PodAffinityTerm, Toleration } from "../../kinds/generated/types.ts";
import { compileNodeSelector, type NodeMatch } from "../../kinds/pod/node-selector.ts";
import { sidecarsOf } from "../../kinds/pod/spec/sidecars.ts";
import { type AffinityTerm, compileAffinityTerm, type WeightedTerm } from "./affinity-term.ts";
import { type PodRequests, podRequests } from "./requests.ts";

export interface HostPort {
	protocol: string;
	/** `0.0.0.0` for all addresses. */
	address: string;
	port: number;
}

export interface PodInfo {
	readonly pod: Pod;
	/** `namespace/name` */
	readonly key: string;
	readonly uid: string;
	readonly namespace: string;
	readonly labels: Labels;
	readonly priority: number;
	readonly terminating: boolean;
	readonly requests: PodRequests["requests"];
	readonly assumed: PodRequests["assumed"];
	readonly hostPorts: readonly HostPort[];
	readonly tolerations: readonly Toleration[];
	/** nodeSelector and required node affinity combined; undefined if every node matches. */
	readonly nodeMatch: NodeMatch | undefined;
	readonly requiredAffinity: readonly AffinityTerm[];
	readonly requiredAntiAffinity: readonly AffinityTerm[];
	/** Preferred affinity; preferred anti-affinity has negative weights. */
	readonly preferences: readonly WeightedTerm[];
	/** Names of the claims that its volumes use, including those of ephemeral volumes. */
	readonly claimNames: readonly string[];
}

const none: readonly never[] = [];

export function podInfo(pod: Pod): PodInfo {
	const labels = pod.metadata.labels ?? {};
	const owner = { namespace: pod.metadata.namespace ?? "", labels };
	const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
	const compile = (terms: readonly PodAffinityTerm[] | undefined) =>
		terms?.map((term) => compileAffinityTerm(term, owner)) ?? none;
	const weighted = (affinity: typeof podAffinity, sign: 1 | -1): readonly WeightedTerm[] =>
		affinity?.preferredDuringSchedulingIgnoredDuringExecution?.map(({ podAffinityTerm, weight }) => ({
			term: compileAffinityTerm(podAffinityTerm, owner),
			weight: sign * weight,
		})) ?? none;
	return {
		pod,
		key: objectKey(pod),
		uid: pod.metadata.uid,
		namespace: owner.namespace,
		labels,
		priority: pod.spec.priority ?? 0,
		terminating: pod.metadata.deletionTimestamp !== undefined,
		...podRequests(pod),
		hostPorts: hostPortsOf(pod),
		tolerations: pod.spec.tolerations ?? none,
		nodeMatch: nodeMatchOf(pod),
		requiredAffinity: compile(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
		requiredAntiAffinity: compile(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
		preferences: [...weighted(podAffinity, 1), ...weighted(podAntiAffinity, -1)],
		claimNames: claimNamesOf(pod),
	};
}

function hostPortsOf(pod: Pod): readonly HostPort[] {
	const sidecars = sidecarsOf(pod.spec);
	let ports: HostPort[] | undefined;
	for (const container of [...pod.spec.containers, ...sidecars]) {
		for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
			if (hostPort === undefined || hostPort <= 0) continue;
			ports ??= [];
			ports.push({ protocol: protocol || "TCP", address: hostIP || "0.0.0.0", port: hostPort });
		}
	}
	return ports ?? none;
}

function nodeMatchOf(pod: Pod): NodeMatch | undefined {
	const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
	const affinity = required === undefined ? undefined : compileNodeSelector(required);
	const wanted = Object.entries(pod.spec.nodeSelector ?? {});
	if (wanted.length === 0) return affinity;
	return (node) =>
		wanted.every(([key, value]) => node.metadata.labels?.[key] === value) && (affinity === undefined || affinity(node));
}

function claimNamesOf(pod: Pod): readonly string[] {
	let names: string[] | undefined;
	for (const volume of pod.spec.volumes ?? []) {
		const name =
			volume.persistentVolumeClaim?.claimName ??
			(volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
		if (name === undefined) continue;
		names ??= [];
		names.push(name);
	}
	return names ?? none;
}
