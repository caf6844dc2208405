/**
 * Kernel parameters that pods may set: those that the kubelet considers safe, and those that its configuration adds.
 * Pure.
 */
import { dottedSysctl, isSysctlPattern, sysctlNamespace } from "../../core/sysctl.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Verdict } from "./pod-state.ts";

/**
 * Parameters that do not affect other pods, with the kernel version since which each is namespaced (API page "Using
 * sysctls").
 */
const safeSysctls: readonly { name: string; sinceKernel?: readonly [major: number, minor: number] }[] = [
	{ name: "kernel.shm_rmid_forced" },
	{ name: "net.ipv4.ip_local_port_range" },
	{ name: "net.ipv4.tcp_syncookies" },
	{ name: "net.ipv4.ping_group_range" },
	{ name: "net.ipv4.ip_unprivileged_port_start" },
	{ name: "net.ipv4.ip_local_reserved_ports", sinceKernel: [3, 16] },
	{ name: "net.ipv4.tcp_keepalive_time", sinceKernel: [4, 5] },
	{ name: "net.ipv4.tcp_fin_timeout", sinceKernel: [4, 6] },
	{ name: "net.ipv4.tcp_keepalive_intvl", sinceKernel: [4, 5] },
	{ name: "net.ipv4.tcp_keepalive_probes", sinceKernel: [4, 5] },
	{ name: "net.ipv4.tcp_rmem", sinceKernel: [4, 15] },
	{ name: "net.ipv4.tcp_wmem", sinceKernel: [4, 15] },
];

/** @param kernelVersion `uname -r` */
export function safeSysctlNames(kernelVersion: string): string[] {
	const [major = 0, minor = 0] = kernelVersion.split(".").map((part) => Number.parseInt(part, 10));
	return safeSysctls
		.filter(({ sinceKernel: [wanted, least] = [0, 0] }) => major > wanted || (major === wanted && minor >= least))
		.map(({ name }) => name);
}

/** The problem of an entry of `allowedUnsafeSysctls`; undefined if it is valid. */
export function patternProblem(pattern: string): string | undefined {
	if (!isSysctlPattern(pattern))
		return `sysctl ${JSON.stringify(pattern)} is neither a name nor the beginning of one with *`;
	const isKnown = sysctlNamespace(dottedSysctl(pattern).replace(/\*$/, "")) !== undefined;
	return isKnown ? undefined : `the sysctl ${JSON.stringify(pattern)} are not known to be namespaced`;
}

/**
 * Why the node rejects the pod's parameters; undefined if it accepts all of them.
 * @param allowed names and patterns: the safe ones, and those that the node's configuration adds
 */
export function sysctlVerdict({ spec }: Pod, allowed: readonly string[]): Verdict | undefined {
	for (const { name } of spec.securityContext?.sysctls ?? []) {
		const problem = problemOf(dottedSysctl(name), allowed, spec);
		if (problem !== undefined)
			return { reason: "SysctlForbidden", message: `Pod was rejected: forbidden sysctl: ${problem}` };
	}
	return undefined;
}

function problemOf(
	name: string,
	allowed: readonly string[],
	{ hostNetwork, hostIPC }: Pod["spec"],
): string | undefined {
	const namespace = sysctlNamespace(name);
	const isAllowed = allowed.map(dottedSysctl).some((pattern) => fits(name, pattern));
	if (namespace === undefined || !isAllowed) return `${JSON.stringify(name)} not allowlisted`;
	const isShared = namespace === "IPC" ? hostIPC === true : hostNetwork === true;
	return isShared ? `${JSON.stringify(name)} not allowed with host ${namespace} enabled` : undefined;
}

function fits(name: string, pattern: string): boolean {
	return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
