/** The contents of a pod's /etc/hosts and /etc/resolv.conf. Pure. */
import type { Pod } from "../../kinds/generated/types.ts";
import { podDomainName, podHostname } from "../context/sandbox-config.ts";

/** @param addresses of the pod */
export function hostsFile(pod: Pod, addresses: readonly string[], clusterDomain: string): string {
	const lines = [
		"# Kubernetes-managed hosts file.",
		"127.0.0.1\tlocalhost",
		"::1\tlocalhost ip6-localhost ip6-loopback",
		"fe00::0\tip6-localnet",
		"fe00::0\tip6-mcastprefix",
		"fe00::1\tip6-allnodes",
		"fe00::2\tip6-allrouters",
	];
	const domainName = podDomainName(pod, clusterDomain);
	const names = domainName === undefined ? podHostname(pod) : `${domainName}\t${podHostname(pod)}`;
	for (const address of addresses) lines.push(`${address}\t${names}`);
	return `${lines.join("\n")}\n${hostAliases(pod)}`;
}

/** The node's own file plus the pod's aliases, for pods that use the host network. */
export function hostNetworkHostsFile(pod: Pod, nodeFile: string): string {
	const head = "# Kubernetes-managed hosts file (host network).\n";
	return head + nodeFile + (nodeFile === "" || nodeFile.endsWith("\n") ? "" : "\n") + hostAliases(pod);
}

function hostAliases(pod: Pod): string {
	const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}`);
	return aliases.length === 0 ? "" : `\n# Entries added by HostAliases.\n${aliases.join("\n")}\n`;
}

interface Resolver {
	nameservers: string[];
	searches: string[];
	options: string[];
}

const mostNameservers = 3;
const mostSearches = 32;
const longestSearch = 2048;

/**
 * According to `dnsPolicy` and `dnsConfig` (API page "DNS for Services and Pods").
 * @param nodeFile the node's own resolv.conf
 * @param clusterDns undefined: there is no cluster DNS, and every pod uses the node's resolvers
 */
export function resolverFile(
	pod: Pod,
	nodeFile: string,
	clusterDns: string | undefined,
	clusterDomain: string,
): string {
	const { dnsPolicy = "ClusterFirst", dnsConfig, hostNetwork } = pod.spec;
	const node = parseResolver(nodeFile);
	// What listens at the machine's loopback address is out of reach for pods; the cluster's DNS asks it for them.
	if (clusterDns !== undefined)
		node.nameservers = node.nameservers.map((address) => (isLoopback(address) ? clusterDns : address));
	const ofCluster = dnsPolicy === "ClusterFirstWithHostNet" || (dnsPolicy === "ClusterFirst" && hostNetwork !== true);
	let resolver: Resolver = node;
	if (dnsPolicy === "None") resolver = { nameservers: [], searches: [], options: [] };
	else if (ofCluster && clusterDns !== undefined) {
		const searches = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
		resolver = {
			nameservers: [clusterDns],
			searches: [...searches, ...node.searches],
			options: ["ndots:5"],
		};
	}
	const merged: Resolver = {
		nameservers: unique([...resolver.nameservers, ...(dnsConfig?.nameservers ?? [])]).slice(0, mostNameservers),
		searches: limitSearches(unique([...resolver.searches, ...(dnsConfig?.searches ?? [])])),
		options: mergeOptions(resolver.options, dnsConfig?.options ?? []),
	};
	const lines = [];
	if (merged.searches.length > 0) lines.push(`search ${merged.searches.join(" ")}`);
	for (const nameserver of merged.nameservers) lines.push(`nameserver ${nameserver}`);
	if (merged.options.length > 0) lines.push(`options ${merged.options.join(" ")}`);
	return lines.map((line) => `${line}\n`).join("");
}

function parseResolver(file: string): Resolver {
	const resolver: Resolver = { nameservers: [], searches: [], options: [] };
	for (const line of file.split("\n")) {
		const [keyword, ...values] = line.trim().split(/\s+/);
		if (keyword === "nameserver" && values[0] !== undefined) resolver.nameservers.push(values[0]);
		// The last line of each keyword counts.
		if (keyword === "search" || keyword === "domain") resolver.searches = values.filter((value) => value !== ".");
		if (keyword === "options") resolver.options = values;
	}
	return resolver;
}

function isLoopback(address: string): boolean {
	return address.startsWith("127.") || address === "::1";
}

function mergeOptions(options: readonly string[], more: readonly { name?: string; value?: string }[]): string[] {
	const byName = new Map(options.map((option) => [option.split(":")[0] ?? option, option]));
	for (const { name = "", value } of more)
		byName.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
	return [...byName.values()];
}

function limitSearches(searches: string[]): string[] {
	const kept = searches.slice(0, mostSearches);
	while (kept.join(" ").length > longestSearch) kept.pop();
	return kept;
}

function unique(values: readonly string[]): string[] {
	return [...new Set(values)];
}
