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

/** A user namespace of a pod has as many users as numbers of 16 bits, as upstream's. */
export const usersOfPod = 65_536;

/**
 * A number on the machine for user 0 of a pod, which begins a range that no other pod has.
 * @param taken those of the node's other pods
 * @param random from 0 to 1, exclusive
 */
export function pickUserBase(taken: ReadonlySet<number>, random: () => number): number {
	// Above the ranges that machines give to their users (subuid(5)), and below what 32 bits hold.
	const [first, last] = [8192, 65_000];
	for (;;) {
		const base = (first + Math.floor(random() * (last - first))) * usersOfPod;
		if (!taken.has(base)) return base;
	}
}

/**
 * @param userBase number on the machine of user 0 of the pod; undefined: the pod's users are the machine's
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
 * What the holder's root is. No program runs in it; it lies on /proc, which is on every machine and which any user of a
 * pod may enter.
 *
 * It is the pod's /dev/shm, of the size that container engines give it: so it ends with the pod's last process, and no
 * other mount namespace grows by it. Files are bounded as pages are, because empty ones take memory, too. A holder that
 * containers see as the first process of the pod never has the machine's root, so that `/proc/1/root` leads nowhere:
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
 * Nothing of the whole machine, and nothing of a namespace that the pod shares with its node, even when admission let
 * the pod pass.
 */
function sysctlProblem(name: string, { hostNetwork, hostIpc }: SandboxConfig): string | undefined {
	const namespace = isSysctlName(name) ? sysctlNamespace(dottedSysctl(name)) : undefined;
	if (namespace === undefined) return `sysctl ${JSON.stringify(name)} is not known to be namespaced`;
	const isShared = namespace === "IPC" ? hostIpc : hostNetwork;
	return isShared ? `sysctl ${JSON.stringify(name)} would change the node's own ${namespace} namespace` : undefined;
}
