/**
 * From NetworkPolicies to what they mean for the pods of one node (documentation page "Network Policies"). Pure.
 *
 * Pods in the host's network have no address of their own: they are neither selected nor peers.
 */
import { type Cidr, cidrContains, formatCidr, parseCidr } from "../../core/addresses.ts";
import { type LabelSelector, type Labels, selectorFrom } from "../../core/selection/selector.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../kinds/generated/types.ts";
import type { IsolatedPod, PolicyDirection, PolicyProtocol, PolicyRule, PolicyRules } from "../../network/policy.ts";

/** A pod with an address. */
export interface AddressedPod {
	namespace: string;
	labels: Labels;
	address: string;
	ports: readonly NamedPort[];
}

export interface NamedPort {
	name: string;
	protocol: PolicyProtocol;
	port: number;
}

export interface PolicyState {
	policies: readonly NetworkPolicy[];
	/** Labels of all namespaces, by name. */
	namespaces: ReadonlyMap<string, Labels>;
	/** Of the cluster, those of this node included. */
	pods: readonly AddressedPod[];
	/** Of this node. */
	local: readonly AddressedPod[];
}

type Port = NonNullable<PolicyRule["ports"]>;

const mostPort = 65_535;

export function policyRules({ policies, namespaces, pods, local }: PolicyState): PolicyRules {
	const localIn = grouped(local);
	const podsIn = grouped(pods);
	const rules = new Map<string, readonly PolicyRule[]>();
	const isolated = new Map<string, { address: string; ingress?: string[]; egress?: string[] }>();
	for (const policy of inOrder(policies)) {
		const { namespace = "", name } = policy.metadata;
		const selector = selectorFrom(policy.spec.podSelector ?? {});
		const selected = (localIn.get(namespace) ?? []).filter(({ labels }) => selector.matches(labels));
		if (selected.length === 0) continue;
		for (const direction of directionsOf(policy)) {
			const key = `${namespace}/${name}/${direction}`;
			rules.set(key, rulesOf(policy, direction, selected));
			for (const { address } of selected) {
				const pod = isolated.get(address) ?? { address };
				isolated.set(address, pod);
				pod[direction] = [...(pod[direction] ?? []), key];
			}
		}
	}
	return { isolated: [...isolated.values()] satisfies IsolatedPod[], policies: rules };

	function rulesOf({ metadata, spec }: NetworkPolicy, direction: PolicyDirection, selected: readonly AddressedPod[]) {
		const described =
			direction === "ingress"
				? (spec.ingress ?? []).map(({ from, ports }) => ({ others: from, ports }))
				: (spec.egress ?? []).map(({ to, ports }) => ({ others: to, ports }));
		return described.map(({ others = [], ports = [] }): PolicyRule => {
			const peers = others.length === 0 ? undefined : peersOf(others, metadata.namespace ?? "");
			// Connections lead to the policy's own pods, or to peers; blocks contain pods, too.
			const selects = peers?.pods !== undefined && peers.blocks.length === 0;
			const targets = direction === "ingress" ? selected : selects ? (peers?.pods ?? []) : pods;
			return {
				...(peers === undefined ? {} : { peers: { ...addressesOf(peers.pods), blocks: peers.blocks } }),
				...(ports.length === 0 ? {} : { ports: portsOf(ports, targets) }),
			};
		});
	}

	function peersOf(others: readonly NetworkPolicyPeer[], namespace: string) {
		const blocks: { cidr: string; except: string[] }[] = [];
		let found: Set<AddressedPod> | undefined;
		for (const { podSelector, namespaceSelector, ipBlock } of others) {
			if (ipBlock !== undefined) {
				blocks.push(...blockOf(ipBlock.cidr, ipBlock.except ?? []));
				continue;
			}
			found ??= new Set();
			const selector = selectorFrom(podSelector ?? {});
			const among = namespaceSelector === undefined ? [namespace] : selectedNamespaces(namespaceSelector);
			for (const name of among)
				for (const pod of podsIn.get(name) ?? []) if (selector.matches(pod.labels)) found.add(pod);
		}
		return { pods: found === undefined ? undefined : [...found], blocks };
	}

	function selectedNamespaces(labelSelector: LabelSelector): string[] {
		const selector = selectorFrom(labelSelector);
		return [...namespaces].filter(([, labels]) => selector.matches(labels)).map(([name]) => name);
	}
}

/** Without `policyTypes`, which admission fills in, a policy is about what comes in, and about what goes out if it says so. */
function directionsOf({ spec }: NetworkPolicy): PolicyDirection[] {
	const types = spec.policyTypes ?? (spec.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"]);
	return (["ingress", "egress"] as const).filter((direction) => types.some((type) => type.toLowerCase() === direction));
}

function addressesOf(pods: readonly AddressedPod[] | undefined): { addresses?: string[] } {
	return pods === undefined ? {} : { addresses: pods.map(({ address }) => address) };
}

/** Empty for blocks of other address families. */
function blockOf(text: string, except: readonly string[]): { cidr: string; except: string[] }[] {
	const cidr = parseCidr(text);
	if (cidr === undefined) return [];
	return [{ cidr: formatCidr(cidr), except: apart(except.map(parseCidr).filter((block) => block !== undefined)) }];
}

/** Without those that others contain. */
function apart(blocks: readonly Cidr[]): string[] {
	const kept: Cidr[] = [];
	for (const block of [...blocks].sort((a, b) => a.base - b.base || a.bits - b.bits)) {
		const last = kept.at(-1);
		if (last === undefined || !cidrContains(last, block.base)) kept.push(block);
	}
	return kept.map(formatCidr);
}

function portsOf(ports: readonly NetworkPolicyPort[], targets: readonly AddressedPod[]): Port {
	const ranges: { protocol: PolicyProtocol; from: number; to: number }[] = [];
	const names: { name: string; protocol: PolicyProtocol }[] = [];
	for (const { port, endPort, protocol: text = "TCP" } of ports) {
		// Validation rejects any other protocol.
		const protocol = text as PolicyProtocol;
		if (typeof port === "string") names.push({ name: port, protocol });
		else if (port === undefined) ranges.push({ protocol, from: 0, to: mostPort });
		else ranges.push({ protocol, from: port, to: endPort ?? port });
	}
	const joinedRanges = (["TCP", "UDP", "SCTP"] as const).flatMap((protocol) =>
		joined(ranges.filter((range) => range.protocol === protocol)),
	);
	if (names.length === 0) return { ranges: joinedRanges };
	const named = targets.flatMap(({ address, ports: own }) =>
		own
			.filter((port) => names.some(({ name, protocol }) => name === port.name && protocol === port.protocol))
			.map(({ protocol, port }) => ({ address, protocol, port })),
	);
	return { ranges: joinedRanges, named };
}

/** Ranges that overlap or touch become one. */
function joined<T extends { from: number; to: number }>(ranges: readonly T[]): T[] {
	const result: T[] = [];
	for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
		const last = result.at(-1);
		if (last === undefined || range.from > last.to + 1) result.push({ ...range });
		else last.to = Math.max(last.to, range.to);
	}
	return result;
}

function grouped(pods: readonly AddressedPod[]): ReadonlyMap<string, AddressedPod[]> {
	const groups = new Map<string, AddressedPod[]>();
	for (const pod of pods) {
		const group = groups.get(pod.namespace);
		if (group === undefined) groups.set(pod.namespace, [pod]);
		else group.push(pod);
	}
	return groups;
}

/** Equal states give equal rules. */
function inOrder(policies: readonly NetworkPolicy[]): NetworkPolicy[] {
	const key = ({ metadata }: NetworkPolicy) => `${metadata.namespace}/${metadata.name}`;
	return [...policies].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
