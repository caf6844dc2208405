/** Names of kernel parameters: both spellings, and which namespace a parameter belongs to. Pure. */

/** Namespaces that have parameters of their own, in upstream's words. */
export type SysctlNamespace = "IPC" | "Net";

const longestName = 253;
const segment = "[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?";
const namePattern = new RegExp(`^(?:${segment}[./])*${segment}$`);
const patternPattern = new RegExp(`^(?:${segment}[./])*(?:[a-z0-9][-_a-z0-9]*)?[a-z0-9*]$`);

export function isSysctlName(name: string): boolean {
	return name.length <= longestName && namePattern.test(name);
}

/** A name, or the beginning of names with `*` after it: `net.*`, `kernel.msg*`. */
export function isSysctlPattern(pattern: string): boolean {
	return pattern.length <= longestName && patternPattern.test(pattern);
}

/**
 * The name with dots between its parts, as sysctl.d(5) reads names: where a slash comes first, slashes are what
 * divides, and a dot is part of a name (`net/ipv4/conf/eth0.1/forwarding`).
 */
export function dottedSysctl(name: string): string {
	if (/[./]/.exec(name)?.[0] !== "/") return name;
	return name.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}

/** Below /proc/sys. */
export function sysctlPath(name: string): string {
	return dottedSysctl(name).replace(/[./]/g, (separator) => (separator === "." ? "/" : "."));
}

/**
 * The namespace that a parameter belongs to, or all that begin with a prefix; undefined for those of the whole machine.
 * @param name with dots
 */
export function sysctlNamespace(name: string): SysctlNamespace | undefined {
	if (name === "kernel.sem" || /^(kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(name)) return "IPC";
	return name.startsWith("net.") ? "Net" : undefined;
}
