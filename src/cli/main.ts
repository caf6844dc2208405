/**
 * `cox`: every command, in the order in which `cox --help` lists them. What only one command needs is loaded when that
 * command runs: the rest would wait for it.
 */
import { basename } from "node:path";
import { Command } from "commander";
import { version } from "../cluster/version.ts";
import { clockCommand } from "./clock.ts";
import { downCommand } from "./down.ts";
import { kubeconfigCommand } from "./kubeconfig.ts";
import { kubectlCommand } from "./kubectl.ts";
import { logsCommand } from "./logs.ts";
import { nodeCommand } from "./node.ts";
import { notifyCommand } from "./notify.ts";
import { reportFailure } from "./output.ts";
import { resetCommand } from "./reset.ts";
import { runCommand } from "./run.ts";
import { runsCommand } from "./runs.ts";
import { secretsCommand } from "./secrets.ts";
import { snapshotCommand } from "./snapshot.ts";
import { statusCommand } from "./status.ts";
import { tourCommand } from "./tour.ts";
import { upCommand } from "./up.ts";

/** The package brings two names for one program: `npx coxswain` works everywhere, `cox` is shorter. */
const name = basename(process.argv[1] ?? "", ".js") === "coxswain" ? "coxswain" : "cox";

const program = new Command(name)
	.description("A Kubernetes-compatible cluster on this machine")
	.version(version)
	.enablePositionalOptions()
	.showHelpAfterError(`(${name} --help lists the commands)`);

for (const command of [
	upCommand(),
	downCommand(),
	statusCommand(),
	nodeCommand(),
	clockCommand(),
	kubeconfigCommand(),
	kubectlCommand(),
	runCommand(),
	runsCommand(),
	logsCommand(),
	notifyCommand(),
	snapshotCommand(),
	secretsCommand(),
	tourCommand(),
	resetCommand(),
])
	program.addCommand(command);

try {
	const bare = bareGroup(program, process.argv.slice(2));
	if (bare !== undefined) bare.outputHelp();
	else await program.parseAsync();
} catch (error) {
	reportFailure(error);
}

/** The group of commands that was named without one of its commands: that asks what there is, and is no mistake. */
function bareGroup(group: Command, [word, ...more]: readonly string[]): Command | undefined {
	// `cox clock` alone shows the time.
	if (word === undefined) return group.commands.length === 0 || group.name() === "clock" ? undefined : group;
	const named = group.commands.find((command) => command.name() === word);
	return named && bareGroup(named, more);
}
