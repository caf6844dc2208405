/**
 * `cox`: all commands, in the order of `cox --help`. The modules of a command are loaded when it runs, to keep the
 * others fast.
 */
import { basename } from "node:path";
import { Command } from "commander";
import { version } from "../cluster/files/version.ts";
import { reportFailure } from "./options/output.ts";

/** The package installs two names for one program: `npx coxswain` works everywhere, `cox` is shorter. */
const name = basename(process.argv[1] ?? "", ".js") === "coxswain" ? "coxswain" : "cox";

const program = new Command(name)
	.description("A Kubernetes-compatible cluster on this machine")
	.version(version)
	.enablePositionalOptions()
	.showHelpAfterError(`(${name} --help lists the commands)`);

const commands: Readonly<Record<string, () => Promise<Command>>> = {
	up: async () => (await import("./commands/up.ts")).upCommand(),
	down: async () => (await import("./commands/down.ts")).downCommand(),
	status: async () => (await import("./commands/status.ts")).statusCommand(),
	node: async () => (await import("./commands/node.ts")).nodeCommand(),
	clock: async () => (await import("./commands/clock.ts")).clockCommand(),
	kubeconfig: async () => (await import("./commands/kubeconfig.ts")).kubeconfigCommand(),
	kubectl: async () => (await import("./commands/kubectl.ts")).kubectlCommand(),
	run: async () => (await import("./commands/run.ts")).runCommand(),
	images: async () => (await import("./commands/images.ts")).imagesCommand(),
	runs: async () => (await import("./commands/runs.ts")).runsCommand(),
	logs: async () => (await import("./commands/logs.ts")).logsCommand(),
	notify: async () => (await import("./commands/notify.ts")).notifyCommand(),
	snapshot: async () => (await import("./commands/snapshot.ts")).snapshotCommand(),
	secrets: async () => (await import("./commands/secrets.ts")).secretsCommand(),
	test: async () => (await import("./commands/test.ts")).testCommand(),
	envtest: async () => (await import("./commands/envtest.ts")).envtestCommand(),
	types: async () => (await import("./commands/types.ts")).typesCommand(),
	tour: async () => (await import("./commands/tour.ts")).tourCommand(),
	reset: async () => (await import("./commands/reset.ts")).resetCommand(),
};

async function main(): Promise<void> {
	const [word = ""] = process.argv.slice(2);
	// Only the named command is loaded; help and error messages need all of them.
	const named = new Map(Object.entries(commands)).get(word);
	const wanted = named === undefined ? Object.values(commands) : [named];
	for (const command of await Promise.all(wanted.map((load) => load()))) program.addCommand(command);
	sayMistakes(program);
	const bare = bareGroup(program, process.argv.slice(2));
	if (bare !== undefined) bare.outputHelp();
	else await program.parseAsync();
}

main().catch(reportFailure);

/** Reports mistakes on the command line like other errors. */
function sayMistakes(command: Command): void {
	command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "cox: ")) });
	for (const one of command.commands) sayMistakes(one);
}

/** The group that was named without one of its commands, which shows its help and is not a mistake. */
function bareGroup(group: Command, [word, ...more]: readonly string[]): Command | undefined {
	// `cox clock` alone shows the time.
	if (word === undefined) return group.commands.length === 0 || group.name() === "clock" ? undefined : group;
	const named = group.commands.find((command) => command.name() === word);
	return named && bareGroup(named, more);
}
