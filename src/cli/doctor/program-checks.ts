/** Programs on PATH. */
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run, toolEnvironment, toolPath } from "../../linux/command.ts";
import { bad, type Check, good, poor } from "./check.ts";

interface Needed {
	command: string;
	/** Debian's package. */
	package: string;
	why: string;
	/** Without it only this is missing. */
	optional?: true;
}

const needed: readonly Needed[] = [
	{ command: "unshare", package: "util-linux", why: "makes the namespaces of nodes and pods" },
	{ command: "ip", package: "iproute2", why: "sets up the network of nodes and pods" },
	{ command: "nft", package: "nftables", why: "serves the addresses of Services" },
	{ command: "tar", package: "tar", why: "unpacks images" },
	{ command: "busybox", package: "busybox", why: "is the shell of busybox containers", optional: true },
	{
		command: "containerd",
		package: "containerd",
		why: "is the runtime of 'cox up --runtime containerd'",
		optional: true,
	},
	{ command: "runc", package: "runc", why: "starts the containers of containerd", optional: true },
];

export const programChecks: readonly Check[] = [
	...needed.map(({ command, package: from, why, optional }) => ({
		name: command,
		async look() {
			const path = pathOf(command);
			if (path !== undefined) return good(`${path} ${why}`);
			const verdict = optional ? poor : bad;
			return verdict(`there is no ${command}, which ${why}`, `apt-get install ${from}`);
		},
	})),
	{ name: "kubectl", look: kubectl },
];

function pathOf(command: string): string | undefined {
	for (const directory of toolPath.split(":")) {
		const path = join(directory, command);
		try {
			accessSync(path, constants.X_OK);
			return path;
		} catch {
			// Not here.
		}
	}
	return undefined;
}

/** Versions more than one minor version away are not supported by upstream; most work. */
const served = { major: 1, minor: 36 };

async function kubectl() {
	const install = "https://kubernetes.io/docs/tasks/tools/ tells how to install one";
	if (pathOf("kubectl") === undefined) return poor("there is no kubectl on PATH", install);
	// Without a home directory it would keep files in the current one.
	const env = { ...toolEnvironment, HOME: homedir() };
	try {
		const version = JSON.parse(await run(["kubectl", "version", "--client", "--output=json"], { env }));
		const { gitVersion, minor } = version.clientVersion as { gitVersion: string; minor: string };
		const distance = Math.abs(Number.parseInt(minor, 10) - served.minor);
		const found = `kubectl ${gitVersion}`;
		return distance <= 1
			? good(found)
			: poor(`${found} is ${distance} minor versions away from v${served.major}.${served.minor}`, install);
	} catch {
		return poor("kubectl does not tell its version", install);
	}
}
