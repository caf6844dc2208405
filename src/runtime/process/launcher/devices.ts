/** The steps that create a container's /dev, /proc and /sys. */
import { existsSync } from "node:fs";
import { list, mountAttributes, type Step } from "./plan.ts";

const { readOnly, noSuid, noDevices, noExec } = mountAttributes;
const nothingSpecial = noSuid | noDevices | noExec;

const devices = ["full", "null", "random", "tty", "urandom", "zero"];
const deviceLinks = [
	["pts/ptmx", "ptmx"],
	["/proc/self/fd", "fd"],
	["/proc/self/fd/0", "stdin"],
	["/proc/self/fd/1", "stdout"],
	["/proc/self/fd/2", "stderr"],
] as const;

/** Settings of the whole machine, which container engines mount read-only. */
const readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
/** Paths that container engines hide. */
const hiddenPaths = [
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
];

/** Those that exist on this machine, determined once. */
const present = { readOnly: readOnlyPaths.filter(existsSync), hidden: hiddenPaths.filter(existsSync) };

export interface SystemMounts {
	privileged: boolean;
	/** The container sees the node's processes. */
	hostPid: boolean;
	/** Message queues and /dev/shm are the node's. */
	hostIpc: boolean;
	/** Nothing in /proc is hidden (`procMount: Unmasked`). */
	unmaskedProc: boolean;
	/** The container's control groups, from `Cgroups.view`. */
	groups: readonly { source: string; path: string }[];
}

export function systemSteps(options: SystemMounts): Step[] {
	const steps: Step[] = [];
	if (options.hostPid) steps.push(["bind", "", "/proc", "", "/proc", 0, 0, ""]);
	else steps.push(["fs", "proc", "/proc", nothingSpecial, ...list([]), ""]);
	if (options.privileged) {
		steps.push(["bind", "", "/sys", "", "/sys", 0, 0, ""], ["bind", "", "/dev", "", "/dev", 0, 0, ""]);
	} else {
		steps.push(["fs", "sysfs", "/sys", readOnly | nothingSpecial, ...list([]), ""]);
		steps.push(...groupSteps(options.groups), ...deviceSteps(options));
	}
	if (options.hostIpc) steps.push(["bind", "", "/dev/shm", "", "/dev/shm", nothingSpecial, 0, "o"]);
	else steps.push(["memory", "/dev/shm", nothingSpecial]);
	return steps;
}

/**
 * Hides parts of the kernel's file systems or makes them read-only; after everything below /proc and /sys is mounted.
 */
export function maskSteps(options: Pick<SystemMounts, "privileged" | "unmaskedProc">, empty: string): Step[] {
	if (options.privileged) return [];
	const masked = (path: string) => !options.unmaskedProc || !path.startsWith("/proc/");
	return [
		...present.readOnly.filter(masked).map((path): Step => ["cover", path, readOnly | nothingSpecial]),
		...present.hidden.filter(masked).map((path): Step => ["mask", path, empty]),
	];
}

/** Programs read their limits here. */
function groupSteps(groups: SystemMounts["groups"]): Step[] {
	const at = "/sys/fs/cgroup";
	const bind = (source: string, path: string): Step => ["bind", "", source, "", path, readOnly | nothingSpecial, 0, ""];
	if (groups.length === 0) return [];
	if (groups.every(({ path }) => path === "/")) return groups.map(({ source }) => bind(source, at));
	return [
		["fs", "tmpfs", at, nothingSpecial, ...list(["mode=755", "size=4k"]), ""],
		...groups.map(({ source, path }) => bind(source, at + path)),
		["attributes", at, readOnly],
	];
}

function deviceSteps({ hostIpc }: SystemMounts): Step[] {
	return [
		// Device nodes that a container creates cannot be opened; those that it gets are mounts of their own.
		["fs", "tmpfs", "/dev", noSuid | noDevices, ...list(["mode=755", "size=64m"]), ""],
		// Read-only applies to their mode and owner, which are the machine's: the device is still writable.
		...devices.map(
			(name): Step => ["bind", "", `/dev/${name}`, "", `/dev/${name}`, readOnly | noSuid | noExec, 0, "o"],
		),
		...deviceLinks.map(([target, name]): Step => ["link", target, `/dev/${name}`]),
		["fs", "devpts", "/dev/pts", noSuid | noExec, ...list(["newinstance", "ptmxmode=0666", "mode=620"]), ""],
		...(hostIpc ? [] : [["fs", "mqueue", "/dev/mqueue", nothingSpecial, ...list([]), "o"] satisfies Step]),
	];
}
