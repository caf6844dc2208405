/** Obstacles to nodes with namespaces on this machine, each with its remedy in one line. */

import { accessSync, constants } from "node:fs";
import { release } from "node:os";
import { messageOf } from "../../core/errors.ts";
import { run, toolPath } from "../../linux/command.ts";
import { readIfThere } from "../../linux/if-there.ts";

const tools: readonly { program: string; package: string }[] = [
	{ program: "ip", package: "iproute2" },
	{ program: "nft", package: "nftables" },
	{ program: "unshare", package: "util-linux" },
	{ program: "nsenter", package: "util-linux" },
	{ program: "mount", package: "mount (or util-linux)" },
	{ program: "mkfifo", package: "coreutils" },
];

/** The containers' launcher sets flags of whole mount trees (mount_setattr(2)). */
const oldestKernel = [5, 12] as const;

/** Obstacles that are visible without creating namespaces. */
export function missingForNodes(): string[] {
	if (process.platform !== "linux") return [`real nodes need Linux: use --runtime simulated on ${process.platform}`];
	if (!isRecent(release()))
		return [
			`real nodes need Linux ${oldestKernel.join(".")} or newer, this is ${release()}; remedy: --runtime simulated`,
		];
	const missing = tools.filter(({ program }) => !isInstalled(program));
	if (missing.length === 0) return [];
	const packages = [...new Set(missing.map((tool) => tool.package))].join(" ");
	const programs = missing.map((tool) => tool.program).join(", ");
	return [`not installed: ${programs}; remedy: sudo apt-get install ${packages}`];
}

/** Tries to create namespaces like a node's; for when that has failed. */
export function probeNamespaces(mode: "root" | "rootless"): Promise<string[]> {
	return mode === "root" ? probeRoot() : probeUserNamespaces();
}

/** @param kernel from uname: `6.1.0-18-amd64` */
export function isRecent(kernel: string): boolean {
	const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
	return major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1]);
}

function isInstalled(program: string): boolean {
	return toolPath.split(":").some((directory) => {
		try {
			accessSync(`${directory}/${program}`, constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

async function probeRoot(): Promise<string[]> {
	try {
		await run(["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "sh", "-c", "mount -t proc proc /proc"]);
		return [];
	} catch (error) {
		return [
			`root may not make namespaces here (${messageOf(error)}); remedy: in a container, run it with --privileged`,
		];
	}
}

async function probeUserNamespaces(): Promise<string[]> {
	const script = "mount -t proc proc /proc && ip link add probe0 type bridge";
	try {
		await run(["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "sh", "-c", script]);
		return [];
	} catch (error) {
		return [`user namespaces do not work here (${messageOf(error)}); remedy: ${userNamespaceRemedy()}`];
	}
}

function userNamespaceRemedy(): string {
	if (readSetting("kernel/apparmor_restrict_unprivileged_userns") === "1") {
		return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run as root";
	}
	if (readSetting("kernel/unprivileged_userns_clone") === "0") {
		return "sudo sysctl -w kernel.unprivileged_userns_clone=1, or run as root";
	}
	if (readSetting("user/max_user_namespaces") === "0")
		return "sudo sysctl -w user.max_user_namespaces=10000, or run as root";
	return "run as root, or in a container with --privileged";
}

function readSetting(name: string): string | undefined {
	return readIfThere(`/proc/sys/${name}`)?.trim();
}
