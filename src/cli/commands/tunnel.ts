import { spawn } from "node:child_process";
import type { Command } from "commander";
import { openTunnel } from "../../cluster/server/tunnel.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";
import { count } from "../options/whole-number.ts";

const examples = `
Examples:
  cox tunnel
  curl --proxy socks5h://127.0.0.1:1080 http://web.default
  cox tunnel -- curl http://web.default        runs a command with ALL_PROXY`;

/** `cox tunnel`: a SOCKS proxy into the cluster, until Ctrl-C or the end of a command. */
export function tunnelCommand(): Command {
	return clusterCommand("tunnel", "reach pods and Services by address and name, through a SOCKS proxy on this machine")
		.option("--port <n>", "port of 127.0.0.1; 0: any free one (default: 1080, with a command 0)", count)
		.argument("[command...]", "a command that runs with the proxy, after --")
		.passThroughOptions()
		.addHelpText("after", examples)
		.action(async (command: string[], options: { data?: string; port?: number }) => {
			const tunnel = await openTunnel(layoutFrom(options), options.port ?? (command.length === 0 ? 1080 : 0));
			const proxy = `socks5h://127.0.0.1:${tunnel.port}`;
			try {
				if (command.length > 0) process.exitCode = await runWith(command, proxy);
				else await untilInterrupted(proxy, tunnel.ended);
			} finally {
				await tunnel.close();
			}
		});
}

async function untilInterrupted(proxy: string, ended: Promise<void>): Promise<void> {
	say(`${proxy} leads into the cluster until Ctrl-C`);
	const interrupted = new Promise<void>((resolve) => {
		for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
	});
	const wasEnded = await Promise.race([interrupted.then(() => false), ended.then(() => true)]);
	if (wasEnded) throw new Error("the cluster has ended");
}

function runWith([program = "", ...args]: readonly string[], proxy: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const env = { ...process.env, ALL_PROXY: proxy, all_proxy: proxy };
		const child = spawn(program, args, { stdio: "inherit", env });
		const ignore = () => {};
		process.on("SIGINT", ignore);
		child.on("error", (error: NodeJS.ErrnoException) =>
			reject(error.code === "ENOENT" ? new Error(`there is no program ${program}`) : error),
		);
		child.on("close", (code) => {
			process.off("SIGINT", ignore);
			resolve(code ?? 1);
		});
	});
}
