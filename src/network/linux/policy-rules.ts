/**
 * Network policies as nftables rules. Pure.
 *
 * Pods have links of their own to the node, so each of their packets passes `forward`, or `input` if it is for the node
 * itself; what the node sends to its pods passes neither. Both come after the translation of service addresses. A map
 * leads from the address of an isolated pod to its chain, which asks its policies and drops the rest. Addresses of
 * peers are in sets, so that a pod that comes or goes changes elements and no rules.
 */
import { createHash } from "node:crypto";
import type { IsolatedPod, PolicyDirection, PolicyRule, PolicyRules } from "../policy.ts";

const table = "ip coxswain-policy";

/** The contents of the table, by name. */
export interface PolicyTable {
	/** Sets of all kinds, with their elements. */
	readonly sets: ReadonlyMap<string, { readonly type: string; readonly elements: ReadonlySet<string> }>;
	readonly chains: ReadonlyMap<string, readonly string[]>;
	/** Elements of the two maps. */
	readonly ways: Readonly<Record<PolicyDirection, ReadonlySet<string>>>;
}

const emptyTable: PolicyTable = {
	sets: new Map(),
	chains: new Map(),
	ways: { ingress: new Set(), egress: new Set() },
};

export function policyTable({ isolated, policies }: PolicyRules): PolicyTable {
	const sets = new Map<string, { type: string; elements: Set<string> }>();
	const chains = new Map<string, string[]>();
	const ways = { ingress: new Set<string>(), egress: new Set<string>() };
	for (const [key, rules] of policies) {
		const direction: PolicyDirection = key.endsWith("/ingress") ? "ingress" : "egress";
		const id = idOf(key);
		const text = rules.flatMap((rule, index) => ruleText(rule, direction, `${id}-${index}`, sets));
		chains.set(`policy-${id}`, text);
	}
	const own = new Set(isolated.map(({ address }) => `${address} . ${address}`));
	if (own.size > 0) sets.set("own", { type: "ipv4_addr . ipv4_addr", elements: own });
	for (const pod of isolated) for (const direction of ["ingress", "egress"] as const) isolate(pod, direction);
	return { sets, chains, ways };

	function isolate(pod: IsolatedPod, direction: PolicyDirection): void {
		const keys = pod[direction];
		if (keys === undefined) return;
		const chain = `${direction}-${pod.address.replaceAll(".", "-")}`;
		chains.set(chain, [...keys.map((key) => `jump policy-${idOf(key)}`), "drop"]);
		ways[direction].add(`${pod.address} : goto ${chain}`);
	}
}

/**
 * The rules of a policy's rule: one for each pair of a description of peers and one of ports.
 * @param sets receives the sets that they name
 */
function ruleText(
	{ peers, ports }: PolicyRule,
	direction: PolicyDirection,
	id: string,
	sets: Map<string, { type: string; elements: Set<string> }>,
): string[] {
	const other = direction === "ingress" ? "ip saddr" : "ip daddr";
	const from = peers === undefined ? [""] : [];
	if (peers?.addresses !== undefined) {
		sets.set(`peers-${id}`, { type: "ipv4_addr", elements: new Set(peers.addresses) });
		from.push(`${other} @peers-${id} `);
	}
	for (const { cidr, except } of peers?.blocks ?? []) {
		if (except.length === 0) {
			from.push(`${other} ${cidr} `);
			continue;
		}
		// Its name is that of its elements, so it never changes. The kernel limits the length of a rule.
		const name = `blocks-${idOf(except.join())}`;
		sets.set(name, { type: "ipv4_addr; flags interval", elements: new Set(except) });
		from.push(`${other} ${cidr} ${other} != @${name} `);
	}
	const to = ports === undefined ? [""] : portTexts(ports.ranges);
	if (ports?.named !== undefined) {
		const elements = ports.named.map(
			({ address, protocol, port }) => `${address} . ${protocol.toLowerCase()} . ${port}`,
		);
		sets.set(`ports-${id}`, { type: "ipv4_addr . inet_proto . inet_service", elements: new Set(elements) });
		to.push(`ip daddr . meta l4proto . th dport @ports-${id} `);
	}
	// What may leave one pod may still be refused by another: `enter` decides, and returns to none of these chains.
	const verdict = direction === "ingress" ? "accept" : "goto enter";
	return from.flatMap((peer) => to.map((port) => `${peer}${port}${verdict}`));
}

function portTexts(ranges: NonNullable<PolicyRule["ports"]>["ranges"]): string[] {
	const byProtocol = new Map<string, string[]>();
	for (const { protocol, from, to } of ranges) {
		const texts = byProtocol.get(protocol) ?? [];
		byProtocol.set(protocol, texts);
		texts.push(from === to ? `${from}` : `${from}-${to}`);
	}
	return [...byProtocol].map(([protocol, texts]) => `${protocol.toLowerCase()} dport { ${texts.join(", ")} } `);
}

/** Names of namespaces and policies may be longer than names in nftables. */
function idOf(key: string): string {
	return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

/**
 * The statements that lead from one state to another, in an order in which no pod is ever open that should not be, even
 * if they are not applied in one transaction.
 * @param before undefined: whatever there is, it is replaced
 */
export function policyChanges(
	before: PolicyTable | undefined,
	after: PolicyTable,
	options: { nodeAddress: string },
): string[] {
	const needed = after.chains.size > 0;
	if (before !== undefined && before.chains.size === 0 && !needed) return [];
	if (!needed) return [`add table ${table}\ndelete table ${table}\n`];
	const isNew = before === undefined || before.chains.size === 0;
	const known = before !== undefined && before.chains.size > 0 ? before : emptyTable;
	const lines: string[] = isNew ? [frame(options.nodeAddress, before === undefined)] : [];
	const gone: string[] = [];
	for (const [name, { type, elements }] of after.sets) {
		const last = known.sets.get(name);
		if (last === undefined && name !== "own") lines.push(`add set ${table} ${name} { type ${type}; }\n`);
		const removed = [...(last?.elements ?? [])].filter((element) => !elements.has(element));
		const added = [...elements].filter((element) => last?.elements.has(element) !== true);
		lines.push(...elementLines("delete", name, removed), ...elementLines("add", name, added));
	}
	for (const name of after.chains.keys()) if (!known.chains.has(name)) lines.push(`add chain ${table} ${name}\n`);
	for (const [name, rules] of after.chains) {
		const last = known.chains.get(name);
		if (last !== undefined && last.length === rules.length && last.every((rule, index) => rule === rules[index]))
			continue;
		const added = rules.map((rule) => `add rule ${table} ${name} ${rule}\n`).join("");
		lines.push(`flush chain ${table} ${name}\n${added}`);
	}
	for (const direction of ["ingress", "egress"] as const) {
		const [now, last] = [after.ways[direction], known.ways[direction]];
		lines.push(
			...elementLines(
				"add",
				direction,
				[...now].filter((way) => !last.has(way)),
			),
		);
		gone.push(
			...elementLines(
				"delete",
				direction,
				[...last].filter((way) => !now.has(way)),
			),
		);
	}
	const chains = [...known.chains.keys()].filter((name) => !after.chains.has(name));
	// They refer to each other.
	gone.push(...chains.map((name) => `flush chain ${table} ${name}\n`));
	gone.push(...chains.map((name) => `delete chain ${table} ${name}\n`));
	const sets = [...known.sets.keys()].filter((name) => name !== "own" && !after.sets.has(name));
	gone.push(...sets.map((name) => `delete set ${table} ${name}\n`));
	return [...lines, ...gone];
}

/** The part of the table that is always the same. */
function frame(nodeAddress: string, replaces: boolean): string {
	return `add table ${table}
${replaces ? `delete table ${table}\n` : ""}table ${table} {
	map ingress { type ipv4_addr : verdict; }
	map egress { type ipv4_addr : verdict; }
	set own { type ipv4_addr . ipv4_addr; }
	chain enter { ip daddr vmap @ingress; accept; }
	chain known { ct state established,related accept; ip saddr . ip daddr @own accept; }
	chain forward { type filter hook forward priority 10; jump known; ip saddr vmap @egress; ip daddr vmap @ingress; }
	chain input { type filter hook input priority 10; jump known; ip daddr ${nodeAddress} accept; ip saddr vmap @egress; }
}
`;
}

/** The number of elements in one statement; unprivileged users may send the kernel only short messages. */
const mostElements = 200;

function elementLines(verb: "add" | "delete", name: string, elements: readonly string[]): string[] {
	const lines: string[] = [];
	for (let at = 0; at < elements.length; at += mostElements)
		lines.push(`${verb} element ${table} ${name} { ${elements.slice(at, at + mostElements).join(", ")} }\n`);
	return lines;
}
