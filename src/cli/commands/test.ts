import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { establishDefinitions } from "../../client/definitions.ts";
import { connect } from "../../cluster/control/connect.ts";
import { type DefinitionDraft, readDefinitions } from "../../cluster/files/definition-files.ts";
import { type Layout, layoutOf } from "../../cluster/files/layout.ts";
import { type LaunchOptions, launch } from "../../cluster/server/launch.ts";
import { say } from "../options/output.ts";
import { count } from "../options/whole-number.ts";

interface TestOptions extends Pick<LaunchOptions, "nodes" | "runtime" | "clock"> {
	crds?: string[];
}

/** How long resources may take to be served. */
const establishLimitMs = 60_000;
const passedOn = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export function testCommand(): Command {
	return new Command("test")
		.description("run a command with a fresh cluster, which is deleted afterwards")
		.usage("[options] -- <command> [args...]")
		.argument("<command>", "it finds the cluster by KUBECONFIG, and cox finds it by COX_DATA")
		.argument("[args...]")
		.option("--nodes <n>", "number of nodes (default: 1)", count)
		.addOption(
			new Option("--runtime <runtime>", "what runs pods").choices(["simulated", "process"]).default("simulated"),
		)
		.addOption(new Option("--clock <clock>", "virtual: time that 'cox clock' controls").choices(["system", "virtual"]))
		.option("--crds <paths...>", "files and folders with CustomResourceDefinitions to start with")
		.passThroughOptions()
		.action(async (command: string, args: string[], options: TestOptions) => {
			process.exitCode = await test([command, ...args], options);
		});
}

async function test(command: readonly string[], { crds = [], ...wanted }: TestOptions): Promise<number> {
	const definitions = readDefinitions(crds);
	const received = new Received();
	const layout = layoutOf(mkdtempSync(join(tmpdir(), "cox-test-")));
	try {
		await launch(layout, { ...wanted, isTied: true }, () => {});
		await establish(layout, definitions);
		return await run(command, layout, received);
	} finally {
		await remove(layout);
	}
}

/** Signals that this command received, from its start on. */
class Received {
	#last: NodeJS.Signals | undefined;
	#tell: ((signal: NodeJS.Signals) => void) | undefined;

	constructor() {
		for (const name of passedOn)
			process.on(name, (signal) => {
				this.#last = signal;
				this.#tell?.(signal);
			});
	}

	/** Tells of the last one, too. */
	listen(tell: (signal: NodeJS.Signals) => void): void {
		this.#tell = tell;
		if (this.#last !== undefined) tell(this.#last);
	}
}

async function establish(layout: Layout, definitions: readonly DefinitionDraft[]): Promise<void> {
	if (definitions.length === 0) return;
	await using connection = await connect(layout, "cox-test");
	await establishDefinitions(connection.client, definitions, { signal: AbortSignal.timeout(establishLimitMs) });
}

/** @returns the exit code of the command; of one that a signal ended, the shell's */
function run([program = "", ...args]: readonly string[], layout: Layout, received: Received): Promise<number> {
	return new Promise((resolve, reject) => {
		const { kubeconfig, kubectlCache, data } = layout;
		// By itself, kubectl would remember the resources of an earlier cluster with this port.
		const env = { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: kubectlCache, COX_DATA: data };
		const child = spawn(program, args, { stdio: "inherit", env });
		// A terminal sends Ctrl-C to both: the command decides what a second one means.
		received.listen((signal) => child.kill(signal));
		child.on("error", (error: NodeJS.ErrnoException) => {
			if (error.code !== "ENOENT") return reject(error);
			say(`${program}: there is no such command`);
			resolve(127);
		});
		child.on("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
	});
}

async function remove(layout: Layout): Promise<void> {
	const { removeCluster } = await import("../../cluster/server/remove.ts");
	await removeCluster(layout);
}
