/**
 * Limits with control groups, version 1 or 2, created only for containers with limits or requests: joining a group
 * takes milliseconds.
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { Clock } from "../../../core/time/clock.ts";
import { removeCgroupTree } from "../../../linux/cgroup-tree.ts";
import { readIfThere } from "../../../linux/if-there.ts";
import type { MountEntry } from "../../../linux/rootview.ts";
import type { ResourceLimits } from "../../runtime.ts";

export interface Cgroups {
	/** Resources that cannot be limited here, as text; empty if all can. */
	readonly limitations: readonly string[];
	/**
	 * Creates the groups of a container and sets its limits.
	 * @param id `ID`, or `PARENT/ID` for one inside a group of `createParent`
	 * @returns their directories, which processes join
	 */
	create(id: string, limits: ResourceLimits): string[];
	/** Creates a group that limits all groups inside it together. Processes join those, not the group itself. */
	createParent(id: string, limits: ResourceLimits): void;
	/**
	 * Limits the number of processes of a pod, for containers without limits of their own, with one group.
	 * @param id of the pod's group
	 * @returns the directories for those containers to join; undefined if each needs a group of its own
	 */
	boundPids(id: string, pidsLimit: number): string[] | undefined;
	update(id: string, limits: ResourceLimits): void;
	/** Whether a process of the container was OOM-killed. */
	oomKilled(id: string): boolean;
	/** Where a container finds its own groups: mounts below /sys/fs/cgroup; `/` is that directory itself. */
	view(id: string): { source: string; path: string }[];
	remove(id: string, clock: Clock): Promise<void>;
}

export function hasLimits({ cpuRequestMillis, cpuLimitMillis, memoryLimitBytes, pidsLimit }: ResourceLimits): boolean {
	return [cpuRequestMillis, cpuLimitMillis, memoryLimitBytes, pidsLimit].some((limit) => limit !== undefined);
}

/** @param parent name of the node's group below the root of each hierarchy; undefined: no limits */
export function openCgroups(mounts: readonly MountEntry[], parent: string | undefined): Cgroups {
	if (parent === undefined) return noCgroups("limits on CPU, memory and process numbers are switched off");
	const controllers = ["memory", "cpu", "pids"];
	const v1 = new Map<string, string>();
	for (const mount of mounts.filter((entry) => entry.type === "cgroup")) {
		const served = mount.path.slice(mount.path.lastIndexOf("/") + 1).split(",");
		for (const name of controllers) if (served.includes(name)) v1.set(name, `${mount.path}/${parent}`);
	}
	const usable = [...v1].filter(([, directory]) => canMake(directory));
	if (usable.length > 0) return hierarchies(new Map(usable), controllers, version1, (controller) => `/${controller}`);
	const unified = mounts.find((entry) => entry.type === "cgroup2");
	if (unified !== undefined) {
		const directory = `${unified.path}/${parent}`;
		if (canMake(directory)) {
			const served = delegate(unified.path, parent, controllers);
			if (served.length > 0)
				return hierarchies(
					new Map(served.map((name) => [name, directory])),
					controllers,
					version2,
					() => "/",
					(id) => delegate(unified.path, `${parent}/${id}`, served),
				);
		}
	}
	return noCgroups("limits on CPU, memory and process numbers are not enforced: no control groups may be made here");
}

/** The files and values for a limit; undefined values are not written. */
type Settings = (controller: string, limits: ResourceLimits) => Record<string, string | undefined>;

const periodMicros = 100_000;

const version1: Settings = (controller, limits) => {
	const { memoryLimitBytes, cpuLimitMillis, cpuRequestMillis, pidsLimit } = limits;
	if (controller === "memory") return { "memory.limit_in_bytes": text(memoryLimitBytes) };
	if (controller === "pids") return { "pids.max": text(pidsLimit) };
	return {
		"cpu.cfs_quota_us": cpuLimitMillis === undefined ? undefined : text(quotaMicros(cpuLimitMillis)),
		"cpu.shares":
			cpuRequestMillis === undefined ? undefined : text(Math.max(2, Math.floor((cpuRequestMillis * 1024) / 1000))),
	};
};

const version2: Settings = (controller, limits) => {
	const { memoryLimitBytes, cpuLimitMillis, cpuRequestMillis, pidsLimit } = limits;
	if (controller === "memory") return { "memory.max": text(memoryLimitBytes) };
	if (controller === "pids") return { "pids.max": text(pidsLimit) };
	const shares = Math.max(2, Math.floor(((cpuRequestMillis ?? 0) * 1024) / 1000));
	return {
		"cpu.max": cpuLimitMillis === undefined ? undefined : `${quotaMicros(cpuLimitMillis)} ${periodMicros}`,
		// The kernel documentation of cpu.weight maps shares 2..262144 to weights 1..10000.
		"cpu.weight": cpuRequestMillis === undefined ? undefined : text(1 + Math.floor(((shares - 2) * 9999) / 262142)),
	};
};

function quotaMicros(cpuLimitMillis: number): number {
	return Math.max(1000, Math.floor((cpuLimitMillis * periodMicros) / 1000));
}

function text(value: number | undefined): string | undefined {
	return value === undefined ? undefined : String(value);
}

/** The group's directory, by controller, depending on the version. */
type View = (controller: string) => string;

function hierarchies(
	roots: ReadonlyMap<string, string>,
	wanted: readonly string[],
	settings: Settings,
	viewPath: View,
	handDown: (id: string) => unknown = () => {},
): Cgroups {
	const directories = (id: string) => [...new Set([...roots.values()].map((root) => `${root}/${id}`))];
	const apply = (id: string, limits: ResourceLimits) => {
		for (const [controller, root] of roots) {
			for (const [file, value] of Object.entries(settings(controller, limits))) {
				if (value !== undefined) writeFileSync(`${root}/${id}/${file}`, value);
			}
		}
	};
	const isUnified = settings === version2;
	const missing = wanted.filter((controller) => !roots.has(controller));
	return {
		limitations: missing.length === 0 ? [] : [`limits are not enforced for: ${missing.join(", ")}`],
		create(id, limits) {
			for (const directory of directories(id)) mkdirSync(directory, { recursive: true });
			apply(id, limits);
			return directories(id);
		},
		createParent(id, limits) {
			for (const directory of directories(id)) mkdirSync(directory, { recursive: true });
			apply(id, limits);
			handDown(id);
		},
		boundPids(id, pidsLimit) {
			const root = roots.get("pids");
			if (root === undefined) return [];
			const directory = `${root}/${id}`;
			mkdirSync(directory, { recursive: true });
			writeFileSync(`${directory}/pids.max`, String(pidsLimit));
			if (!isUnified) return [directory];
			// Version 2 does not allow processes in groups that delegate controllers.
			handDown(id);
			return undefined;
		},
		update(id, limits) {
			const { memoryLimitBytes = Number.POSITIVE_INFINITY } = limits;
			const memory = `${roots.get("memory")}/${id}`;
			const used = Number(
				(readIfThere(`${memory}/memory.usage_in_bytes`) ?? "") || (readIfThere(`${memory}/memory.current`) ?? ""),
			);
			if (used > memoryLimitBytes) throw new Error(`memory limit (${memoryLimitBytes}) below current usage (${used})`);
			if (directories(id).every((directory) => existsSync(directory))) apply(id, limits);
			else if (hasLimits(limits))
				throw new Error("a container that was started without limits cannot be given any while it runs");
		},
		oomKilled(id) {
			const directory = `${roots.get("memory")}/${id}`;
			return ["memory.oom_control", "memory.events"].some((file) =>
				/^oom_kill [1-9]/m.test(readIfThere(`${directory}/${file}`) ?? ""),
			);
		},
		view(id) {
			const places = new Map([...roots].map(([controller, root]) => [viewPath(controller), `${root}/${id}`]));
			return [...places].map(([path, source]) => ({ source, path })).filter(({ source }) => existsSync(source));
		},
		async remove(id, clock) {
			for (const directory of directories(id)) await removeCgroupTree(directory, clock);
		},
	};
}

function noCgroups(limitation: string): Cgroups {
	return {
		limitations: [limitation],
		create: () => [],
		createParent: () => {},
		boundPids: () => [],
		update: () => {},
		oomKilled: () => false,
		view: () => [],
		remove: async () => {},
	};
}

/**
 * Delegates controllers to the children of `parent`.
 * @returns those that are available there
 */
function delegate(root: string, parent: string, controllers: readonly string[]): string[] {
	let directory = root;
	for (const part of ["", ...parent.split("/")]) {
		directory = part === "" ? directory : `${directory}/${part}`;
		for (const controller of controllers) {
			try {
				writeFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
			} catch {
				// No permission: it is missing below, and reported as a limitation.
			}
		}
	}
	const arrived = (readIfThere(`${root}/${parent}/cgroup.subtree_control`) ?? "").trim().split(" ");
	return controllers.filter((controller) => arrived.includes(controller));
}

function canMake(directory: string): boolean {
	try {
		mkdirSync(directory, { recursive: true });
		return true;
	} catch {
		return false;
	}
}
