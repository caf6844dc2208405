/** A container's root: a view of the machine's files of its own, with volumes, and the directories every container has. */
import { execFile } from "node:child_process";
import {
	chmodSync,
	closeSync,
	linkSync,
	lstatSync,
	mkdirSync,
	openSync,
	readlinkSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import {
	fstabLine,
	isWithin,
	type MountEntry,
	type RootView,
	readOnlyBind,
	showsThrough,
	viewFstab,
} from "../../core/rootview.ts";
import { makeInView, makeView } from "../../core/rootview-files.ts";
import type { Mount } from "../runtime.ts";
import { toolEnvironment } from "./tool-environment.ts";

const execute = promisify(execFile);

const devices = ["full", "null", "random", "tty", "urandom", "zero"];
const deviceLinks = [
	["pts/ptmx", "ptmx"],
	["/proc/self/fd", "fd"],
	["/proc/self/fd/0", "stdin"],
	["/proc/self/fd/1", "stdout"],
	["/proc/self/fd/2", "stderr"],
] as const;

export interface RootOptions {
	view: RootView;
	mounts: readonly MountEntry[];
	/** Everything of the container that may grow lies here. */
	scratch: string;
	hidden: readonly string[];
	readOnly: boolean;
	privileged: boolean;
	/** The PID namespace is the node's. */
	hostPid: boolean;
	hostname: string;
	/** The pod's /dev/shm, on the node. */
	sharedMemory: string;
	volumes: readonly Mount[];
	/** Directories that start empty. */
	emptyDirectories: readonly string[];
	/** A directory of device nodes on the file system of `scratch`, to be linked; undefined: the machine's are bound. */
	deviceNodes?: string;
	/** The container's control groups, as `Cgroups.view` gives them. */
	groups: readonly { source: string; path: string }[];
	/** Of the machine, shown read-only. */
	tools: readonly { source: string; path: string }[];
}

/**
 * Makes all that is needed before the mounts and gives their fstab.
 * @throws Error for a mount that cannot be made
 */
export function prepareRoot(options: RootOptions): { root: string; fstab: string } {
	const { view, scratch, volumes } = options;
	const root = `${scratch}/root`;
	makeView(view, { target: root, scratch });
	const points = new MountPoints(options, root);
	let fstab = viewFstab(view, { target: root, scratch, readOnly: options.readOnly });
	const bind = (source: string, path: string, readOnly: boolean, propagation = "") => {
		const target = points.make(path, !isDirectory(source));
		const how = readOnly ? readOnlyBind(options.mounts, source) : "rbind";
		fstab += fstabLine(source, root + target, "none", how + propagation);
		points.cover(target, source);
	};
	fstab += options.hostPid
		? fstabLine("/proc", `${root}/proc`, "none", "rbind")
		: fstabLine("proc", `${root}/proc`, "proc", "nosuid,nodev,noexec");
	fstab += options.privileged
		? fstabLine("/sys", `${root}/sys`, "none", "rbind")
		: fstabLine("sysfs", `${root}/sys`, "sysfs", "ro,nosuid,nodev,noexec");
	if (!options.privileged) fstab += groupMounts(options, root);
	for (const [path, mode] of [
		["/run", 0o755],
		["/tmp", 0o1777],
	] as const)
		bind(ownDirectory(scratch, path, mode), path, options.readOnly);
	fstab += deviceMounts(options, root);
	points.cover("/dev", options.privileged ? "/dev" : ownDirectory(scratch, "/dev", 0o755));
	for (const path of options.hidden)
		if (showsThrough(view, options.mounts, path)) bind(ownDirectory(scratch, "/hidden", 0o755), path, true);
	for (const path of options.emptyDirectories) {
		if (!volumes.some((volume) => volume.containerPath === path))
			bind(ownDirectory(scratch, `/empty${path}`, 0o755), path, false);
	}
	for (const tool of options.tools) bind(tool.source, tool.path, true);
	const cutOff = volumes.some((volume) => volume.propagation === "HostToContainer");
	// Outer paths first, whatever order they are written in, so that none hides another.
	for (const volume of volumes.toSorted((a, b) => depth(a.containerPath) - depth(b.containerPath))) {
		if (volume.propagation === "Bidirectional") {
			throw new Error(
				`mount propagation Bidirectional of ${volume.containerPath} is not supported by the process runtime`,
			);
		}
		// Everything is a slave of the node's mounts as soon as one volume is to be: the others are cut off again.
		bind(
			volume.hostPath,
			volume.containerPath,
			volume.readOnly,
			cutOff && volume.propagation === "None" ? ",rprivate" : "",
		);
	}
	if (!volumes.some((volume) => volume.containerPath === "/etc/hostname"))
		points.write("/etc/hostname", `${options.hostname}\n`);
	return { root, fstab };
}

/** Programs look here for how much they may use. */
function groupMounts({ groups, mounts, scratch }: RootOptions, root: string): string {
	const at = "/sys/fs/cgroup";
	const bind = (source: string, path: string) => fstabLine(source, root + path, "none", readOnlyBind(mounts, source));
	if (groups.length === 0) return "";
	if (groups.every(({ path }) => path === "/")) return groups.map(({ source }) => bind(source, at)).join("");
	const own = ownDirectory(scratch, at, 0o755);
	for (const { path } of groups) mkdirSync(own + path, { recursive: true });
	return bind(own, at) + groups.map(({ source, path }) => bind(source, at + path)).join("");
}

function deviceMounts(options: RootOptions, root: string): string {
	const sharedMemory = fstabLine(options.sharedMemory, `${root}/dev/shm`, "none", "bind,nosuid,nodev,noexec");
	if (options.privileged) return fstabLine("/dev", `${root}/dev`, "none", "rbind") + sharedMemory;
	const own = ownDirectory(options.scratch, "/dev", 0o755);
	mkdirSync(`${own}/pts`, { recursive: true });
	mkdirSync(`${own}/shm`, { recursive: true });
	const { deviceNodes } = options;
	for (const device of devices) {
		if (deviceNodes === undefined) writeFileSync(`${own}/${device}`, "");
		else linkSync(`${deviceNodes}/${device}`, `${own}/${device}`);
	}
	for (const [target, name] of deviceLinks) symlinkSync(target, `${own}/${name}`);
	return [
		fstabLine(own, `${root}/dev`, "none", "bind"),
		...(deviceNodes === undefined ? devices : []).map((device) =>
			fstabLine(`/dev/${device}`, `${root}/dev/${device}`, "none", "bind"),
		),
		fstabLine("devpts", `${root}/dev/pts`, "devpts", "newinstance,ptmxmode=0666,mode=620,nosuid,noexec"),
		sharedMemory,
	].join("");
}

function ownDirectory(scratch: string, name: string, mode: number): string {
	const path = `${scratch}/own${name}`;
	// Modes are set beside the umask's doing.
	if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, mode);
	return path;
}

/** Where mounts go: makes the files and directories they need, through links and into what was mounted before. */
class MountPoints {
	readonly #options: RootOptions;
	readonly #root: string;
	/** What covers a path of the container, the latest first. */
	readonly #covers: { path: string; source: string }[] = [];

	constructor(options: RootOptions, root: string) {
		this.#options = options;
		this.#root = root;
	}

	cover(path: string, source: string): void {
		this.#covers.unshift({ path, source });
	}

	/** The path with its links followed, made where it is missing. */
	make(path: string, isFile: boolean): string {
		const resolved = this.#follow(path);
		const parent = isFile ? dirname(resolved) : resolved;
		if (!exists(this.#behind(resolved)) && !this.#isInUpper(resolved)) {
			const directory = this.#makeDirectory(parent);
			if (isFile) writeFileSync(directory + resolved.slice(parent === "/" ? 0 : parent.length), "", { flag: "a" });
		}
		return resolved;
	}

	write(path: string, content: string): void {
		const resolved = this.#follow(path);
		const parent = dirname(resolved);
		writeFileSync(this.#makeDirectory(parent) + resolved.slice(parent === "/" ? 0 : parent.length), content);
	}

	/** Where a path's content lies on the node: in what covers it, or on the machine. */
	#behind(path: string): string {
		const cover = this.#covers.find((candidate) => isWithin(path, candidate.path));
		return cover === undefined ? path : cover.source + path.slice(cover.path.length);
	}

	#isInUpper(path: string): boolean {
		return this.#options.view.assembled && exists(this.#root + path);
	}

	#makeDirectory(path: string): string {
		if (this.#covers.some((cover) => isWithin(path, cover.path))) {
			const behind = this.#behind(path);
			mkdirSync(behind, { recursive: true });
			return behind;
		}
		return makeInView(this.#options.view, { target: this.#root, scratch: this.#options.scratch }, path);
	}

	#follow(path: string): string {
		let rest = path.split("/").filter((part) => part !== "" && part !== ".");
		let done = "";
		for (let links = 0; rest.length > 0; ) {
			const [part = "", ...after] = rest;
			rest = after;
			if (part === "..") {
				done = dirname(done || "/").replace(/^\/$/, "");
				continue;
			}
			const target = readLink(this.#behind(`${done}/${part}`));
			if (target === undefined) {
				done = `${done}/${part}`;
				continue;
			}
			if (++links > 40) throw new Error(`too many symbolic links in mount path ${path}`);
			if (target.startsWith("/")) done = "";
			rest = [...target.split("/").filter((piece) => piece !== "" && piece !== "."), ...rest];
		}
		return done || "/";
	}
}

function depth(path: string): number {
	return path.split("/").filter((part) => part !== "").length;
}

function isDirectory(path: string): boolean {
	return statSync(path).isDirectory();
}

function exists(path: string): boolean {
	try {
		lstatSync(path);
		return true;
	} catch {
		return false;
	}
}

function readLink(path: string): string | undefined {
	try {
		return readlinkSync(path);
	} catch {
		// Not there, or no link.
		return undefined;
	}
}

/**
 * Copies of the machine's device nodes, for all containers to link: that spares each of them a mount for each device.
 * Undefined where no nodes may be made.
 */
export async function makeDeviceNodes(directory: string): Promise<string | undefined> {
	try {
		await rm(directory, { recursive: true, force: true });
		mkdirSync(directory, { recursive: true });
		await execute("cp", ["-a", ...devices.map((device) => `/dev/${device}`), `${directory}/`], {
			env: toolEnvironment,
		});
		// A file system mounted nodev has nodes that do not work.
		closeSync(openSync(`${directory}/null`, "r+"));
		return directory;
	} catch {
		return undefined;
	}
}
