/**
 * `cox`: all commands, in the order of `cox --help`. The modules of a command are loaded when it runs, to keep the
 * others fast.
 */
import { basename } from "node:path";
import { Command } from "commander";
import { version } from "../cluster/files/version.ts";
import { clockCommand } from "./commands/clock.ts";
import { downCommand } from "./commands/down.ts";
import { kubeconfigCommand } from "./commands/kubeconfig.ts";
import { kubectlCommand } from "./commands/kubectl.ts";
import { logsCommand } from "./commands/logs.ts";
import { nodeCommand } from "./commands/node.ts";
import { notifyCommand } from "./commands/notify.ts";
import { resetCommand } from "./commands/reset.ts";
import { runCommand } from "./commands/run.ts";
import { runsCommand } from "./commands/runs.ts";
import { secretsCommand } from "./commands/secrets.ts";
import { snapshotCommand } from "./commands/snapshot.ts";
import { statusCommand } from "./commands/status.ts";
import { tourCommand } from "./commands/tour.ts";
import { upCommand } from "./commands/up.ts";
import { reportFailure } from "./options/output.ts";

/** The package installs two names for one program: `npx coxswain` works everywhere, `cox` is shorter. */
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

sayMistakes(program);
try {
	const bare = bareGroup(program, process.argv.slice(2));
	if (bare !== undefined) bare.outputHelp();
	else await program.parseAsync();
} catch (error) {
	reportFailure(error);
}

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
