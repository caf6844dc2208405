/**
 * The way out of a cluster without root: slirp4netns or pasta, which connect the switch to the machine's networks as an
 * ordinary program does, with sockets. The process has the mark of the cluster, and ends with it.
 */
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Clock } from "../../core/time/clock.ts";
import { CommandError, run, toolEnvironment, toolPath } from "../../linux/command.ts";
import { isExecutable } from "../../linux/if-there.ts";
import { spawnApart } from "../../linux/inherited.ts";
import { killAll } from "../../linux/processes.ts";
import { holderEnvironment, type MarkedProcess } from "./marked-processes.ts";

export interface UserNetwork {
	/** The cluster's directory. */
	owner: string;
	switchPid: number;
	/** The command that enters the network of the switch. */
	enterSwitch: readonly [string, ...string[]];
	/** Blocks of addresses of the cluster, which never lead out. */
	ranges: readonly string[];
	/** Processes of the cluster with the role `wayOutRole`. */
	found: readonly MarkedProcess[];
	clock: Clock;
}

export const wayOutRole = "way-out";
const link = "tap0";

/**
 * Idempotent.
 * @throws Error that says what is missing
 */
export async function connectUserNetwork(options: UserNetwork): Promise<void> {
	const { owner, switchPid, enterSwitch, ranges, found, clock } = options;
	if (found.length > 0 && readFileSync(`/proc/${switchPid}/net/dev`, "utf8").includes(`${link}:`)) return;
	await killAll([...found], clock);
	const namespaces = [`/proc/${switchPid}/ns/user`, `/proc/${switchPid}/ns/net`] as const;
	if (isInstalled("slirp4netns")) await startSlirp(owner, ...namespaces);
	else if (isInstalled("pasta")) await startPasta(owner, ...namespaces);
	else throw new Error("without root that needs slirp4netns or pasta (Debian packages slirp4netns and passt)");
	const unreachable = ranges.map((range) => `ip route add unreachable ${range} 2>/dev/null || :`).join("\n");
	const rules = `chain postrouting { type nat hook postrouting priority 100; oifname "${link}" masquerade; }; `;
	const script = `${unreachable}
echo 1 >/proc/sys/net/ipv4/ip_forward
exec nft 'add table ip coxswain-out; delete table ip coxswain-out; table ip coxswain-out { ${rules}}'`;
	await run([...enterSwitch, "sh", "-c", script]);
}

function isInstalled(program: string): boolean {
	return toolPath.split(":").some((directory) => isExecutable(`${directory}/${program}`));
}

/** It says on a descriptor that it is ready. Pods do not reach the machine's loopback address through it. */
function startSlirp(owner: string, user: string, net: string): Promise<void> {
	const readyDescriptor = 3;
	const args = ["--configure", "--mtu=65520", "--disable-host-loopback", `--ready-fd=${readyDescriptor}`];
	const command = [...args, `--userns-path=${user}`, "--netns-type=path", net, link];
	return start(owner, "slirp4netns", command, readyDescriptor);
}

/** It goes into the background when it is ready. */
function startPasta(owner: string, user: string, net: string): Promise<void> {
	const nothing = ["-t", "-u", "-T", "-U"].flatMap((option) => [option, "none"]);
	const args = ["--config-net", "--no-map-gw", "--quiet", "--ns-ifname", link, ...nothing];
	return start(owner, "pasta", [...args, "--userns", user, "--netns", net], undefined);
}

/** @param readyDescriptor undefined: it is ready when it has ended */
function start(owner: string, program: string, args: string[], readyDescriptor: number | undefined): Promise<void> {
	const child = spawnApart(program, args, {
		detached: true,
		cwd: "/",
		stdio: ["ignore", "ignore", "pipe", ...(readyDescriptor === undefined ? [] : (["pipe"] as const))],
		env: { ...toolEnvironment, ...holderEnvironment(owner, wayOutRole) },
	});
	let text = "";
	child.stderr?.on("data", (chunk) => (text += chunk));
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("exit", (code) =>
			code === 0 ? resolve() : reject(new CommandError([program, ...args], code ?? 128, text)),
		);
		// The requested stream.
		const ready = readyDescriptor === undefined ? undefined : (child.stdio[readyDescriptor] as Readable | undefined);
		ready?.once("data", () => {
			for (const stream of [ready, child.stderr]) stream?.destroy();
			child.unref();
			resolve();
		});
	});
}
