/**
 * The way out of a cluster without root: slirp4netns, which connects the switch to the machine's networks as an ordinary
 * program does, with sockets. The process has the mark of the cluster, and ends with it. (pasta hides its environment,
 * and so the mark: it would be left behind.)
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
	if (!isInstalled("slirp4netns")) throw new Error("without root that needs slirp4netns (Debian package slirp4netns)");
	await startSlirp(owner, ...namespaces);
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

const readyDescriptor = 3;

/** Resolves when it is ready. Pods do not reach the machine's loopback address through it. */
function startSlirp(owner: string, user: string, net: string): Promise<void> {
	const args = ["--configure", "--mtu=65520", "--disable-host-loopback", `--ready-fd=${readyDescriptor}`];
	const command = ["slirp4netns", ...args, `--userns-path=${user}`, "--netns-type=path", net, link] as const;
	const [program, ...rest] = command;
	const child = spawnApart(program, rest, {
		detached: true,
		cwd: "/",
		stdio: ["ignore", "ignore", "pipe", "pipe"],
		env: { ...toolEnvironment, ...holderEnvironment(owner, wayOutRole) },
	});
	let text = "";
	child.stderr?.on("data", (chunk) => (text += chunk));
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("exit", (code) => reject(new CommandError(command, code ?? 128, text)));
		// The requested stream.
		const ready = child.stdio[readyDescriptor] as Readable | undefined;
		ready?.once("data", () => {
			for (const stream of [ready, child.stderr]) stream?.destroy();
			child.unref();
			resolve();
		});
	});
}
