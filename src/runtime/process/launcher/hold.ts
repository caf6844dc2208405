/** The plan of the process that keeps a pod's namespaces. Pure. */
import { dottedSysctl, isSysctlName, sysctlNamespace, sysctlPath } from "../../../core/sysctl.ts";
import type { SandboxConfig } from "../../runtime.ts";
import { list, mountAttributes, namespaces, type Step } from "./plan.ts";

const { readOnly, noSuid, noDevices, noExec } = mountAttributes;

/** The namespaces that a pod's containers share, as flags. */
export function sharedNamespaces({ hostNetwork, hostIpc }: SandboxConfig): number {
	return (hostNetwork ? 0 : namespaces.net | namespaces.uts) | (hostIpc ? 0 : namespaces.ipc);
}

export function sharesPid({ sharePid, hostPid }: SandboxConfig): boolean {
	return sharePid && !hostPid;
}

/** A pod's user namespace has 65,536 users, as upstream. */
export const usersOfPod = 65_536;

/**
 * The machine's user ID for user 0 of a pod, the beginning of a range that no other pod has.
 * @param taken those of the node's other pods
 * @param random from 0 to 1, exclusive
 */
export function pickUserBase(taken: ReadonlySet<number>, random: () => number): number {
	// Above the ranges that machines assign to their users (subuid(5)), and within 32 bits.
	const [first, last] = [8192, 65_000];
	for (;;) {
		const base = (first + Math.floor(random() * (last - first))) * usersOfPod;
		if (!taken.has(base)) return base;
	}
}

/**
 * @param userBase the machine's user ID of user 0 of the pod; undefined: the pod has no user namespace
 * @throws Error for a kernel parameter that is not the pod's own
 */
export function holdPlan(config: SandboxConfig, userBase: number | undefined): Step[] {
	const shared = sharedNamespaces(config);
	return [
		["hold", sharesPid(config) ? namespaces.pid : 0, userBase ?? 0, usersOfPod],
		...(shared === 0 ? [] : [["unshare", shared] satisfies Step]),
		...(config.hostNetwork ? [] : [["hostname", config.hostname] satisfies Step, ["loopback"] satisfies Step]),
		...Object.entries(config.sysctls).map(([name, value]): Step => {
			const problem = sysctlProblem(name, config);
			if (problem !== undefined) throw new Error(problem);
			return ["write", `/proc/sys/${sysctlPath(name)}`, value];
		}),
		...rootSteps(config),
		["stay"],
	];
}

/**
 * The root of the holder. No program runs in it; it is mounted on /proc, which exists on every machine and is
 * accessible to any user of a pod.
 *
 * It is the pod's /dev/shm, with the size that container engines use: it ends with the pod's last process, and no other
 * mount namespace is affected. The number of files is limited as well, because empty files use memory, too. A holder
 * that containers see as the pod's first process never has the machine's root, so that `/proc/1/root` leads nowhere:
 * without such memory it is empty.
 */
function rootSteps(config: SandboxConfig): Step[] {
	const shared = !config.hostIpc;
	if (!shared && !sharesPid(config)) return [];
	const attributes = noSuid | noDevices | noExec | (shared ? 0 : readOnly);
	const options = shared ? ["mode=1777", "size=64m", "nr_inodes=16k"] : ["size=4k", "mode=555"];
	return [
		["unshare", namespaces.mount],
		["propagation", "private"],
		["fs", "tmpfs", "/proc", attributes, ...list(options), ""],
		["root", "/proc"],
		["pivot"],
	];
}

/**
 * No parameters of the whole machine, and none of a namespace that the pod shares with its node, even if admission
 * accepted the pod.
 */
function sysctlProblem(name: string, { hostNetwork, hostIpc }: SandboxConfig): string | undefined {
	const namespace = isSysctlName(name) ? sysctlNamespace(dottedSysctl(name)) : undefined;
	if (namespace === undefined) return `sysctl ${JSON.stringify(name)} is not known to be namespaced`;
	const isShared = namespace === "IPC" ? hostIpc : hostNetwork;
	return isShared ? `sysctl ${JSON.stringify(name)} would change the node's own ${namespace} namespace` : undefined;
}
