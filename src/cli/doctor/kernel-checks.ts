/** What the kernel lets this user do: tried, in namespaces that end at once. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { run } from "../../linux/command.ts";
import { bad, type Check, good, poor, type Verdict } from "./check.ts";

const isRoot = process.getuid?.() === 0;

export const kernelChecks: readonly Check[] = [
	{ name: "namespaces", look: namespaces },
	{ name: "cgroups", look: cgroups },
	{ name: "overlay", look: overlay },
	{ name: "nftables", look: nftables },
];

/** `unshare` with a user namespace where this user needs one. */
function unshared(flags: readonly string[], command: readonly string[]): Promise<string> {
	return run(["unshare", ...(isRoot ? [] : ["--user", "--map-root-user"]), ...flags, ...command]);
}

async function namespaces(): Promise<Verdict> {
	try {
		await unshared(["--net", "--mount", "--pid", "--fork", "--uts", "--ipc"], ["true"]);
		return good(isRoot ? "namespaces can be made, as root" : "namespaces can be made without root");
	} catch (error) {
		return bad(`namespaces cannot be made: ${messageOf(error)}`, isRoot ? rootRemedy : rootlessRemedy());
	}
}

const rootRemedy = "in a container, give it the capability SYS_ADMIN; or use 'cox up --runtime simulated'";

/** The settings of distributions that forbid user namespaces. */
function rootlessRemedy(): string {
	const settings: [string, string, string][] = [
		["kernel.apparmor_restrict_unprivileged_userns", "1", "0"],
		["kernel.unprivileged_userns_clone", "0", "1"],
		["user.max_user_namespaces", "0", "10000"],
	];
	for (const [name, forbids, allows] of settings) {
		const path = `/proc/sys/${name.replaceAll(".", "/")}`;
		if (existsSync(path) && readFileSync(path, "utf8").trim() === forbids)
			return `sudo sysctl ${name}=${allows}; or start as root; or use 'cox up --runtime simulated'`;
	}
	return "start as root, or use 'cox up --runtime simulated'";
}

const controllers = ["cpu", "memory", "pids"];
const withoutCgroups = "limits of cpu and memory, and usage of pods, are not available";

async function cgroups(): Promise<Verdict> {
	const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
	const first = mounts.flatMap((line) => {
		const [, path = "", type] = line.split(" ");
		return type === "cgroup" ? [path] : [];
	});
	if (first.length > 0) return cgroupsV1(first);
	if (!existsSync("/sys/fs/cgroup/cgroup.controllers"))
		return poor(`there are no cgroups at /sys/fs/cgroup: ${withoutCgroups}`, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	const [, own = "/"] = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8")) ?? [];
	const directory = isRoot ? "/sys/fs/cgroup" : join("/sys/fs/cgroup", own);
	if (!isWritable(directory)) return poor(`the cgroup ${directory} cannot be written: ${withoutCgroups}`, delegation);
	const there = readFileSync(join(directory, "cgroup.controllers"), "utf8").trim().split(" ");
	const missing = controllers.filter((name) => !there.includes(name));
	return missing.length === 0
		? good(`cgroups v2 with ${controllers.join(", ")}`)
		: poor(`the cgroup ${directory} lacks ${missing.join(", ")}: ${withoutCgroups}`, delegation);
}

/** @param paths of the mounted hierarchies, such as `/sys/fs/cgroup/cpu,cpuacct` */
function cgroupsV1(paths: readonly string[]): Verdict {
	const missing = controllers.filter(
		(name) => !paths.some((path) => basename(path).split(",").includes(name) && isWritable(path)),
	);
	if (missing.length === 0) return good(`cgroups v1 with ${controllers.join(", ")}`);
	return poor(`cgroups v1 without ${missing.join(", ")} for this user: ${withoutCgroups}`, "start as root");
}

function isWritable(directory: string): boolean {
	try {
		accessSync(directory, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

const delegation = "start with: systemd-run --user --scope --property=Delegate=yes cox up";

async function overlay(): Promise<Verdict> {
	const directory = await mkdtemp(join(tmpdir(), "cox-doctor-"));
	const script =
		'mount -t tmpfs tmpfs "$1" && mkdir "$1/l" "$1/u" "$1/w" "$1/m" && mount -t overlay -o "lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" overlay "$1/m"';
	try {
		await unshared(["--mount"], ["sh", "-c", script, "sh", directory]);
		return good("overlays can be mounted, for images and the view of this machine");
	} catch (error) {
		return bad(
			`overlays cannot be mounted: ${messageOf(error)}`,
			"modprobe overlay; without root, Linux 5.11 or later",
		);
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
}

async function nftables(): Promise<Verdict> {
	try {
		await unshared(
			["--net"],
			["nft", "add table inet cox_doctor; add chain inet cox_doctor c { type nat hook output priority 0; }"],
		);
		return good("nftables can translate addresses, for Services");
	} catch (error) {
		return bad(`nftables do not work: ${messageOf(error)}`, "modprobe nf_tables nft_nat");
	}
}
