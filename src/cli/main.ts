/** `cox`: every command, in the order in which `cox --help` lists them. */
import { Command } from "commander";
import { version } from "../cluster/version.ts";
import { clockCommand } from "./clock.ts";
import { downCommand } from "./down.ts";
import { kubeconfigCommand } from "./kubeconfig.ts";
import { kubectlCommand } from "./kubectl.ts";
import { nodeCommand } from "./node.ts";
import { reportFailure } from "./output.ts";
import { resetCommand } from "./reset.ts";
import { secretsCommand } from "./secrets.ts";
import { snapshotCommand } from "./snapshot.ts";
import { statusCommand } from "./status.ts";
import { tourCommand } from "./tour/tour.ts";
import { upCommand } from "./up.ts";

const program = new Command("cox")
	.description("A Kubernetes-compatible cluster on this machine")
	.version(version)
	.enablePositionalOptions()
	.showHelpAfterError("(cox --help lists the commands)");

for (const command of [
	upCommand(),
	downCommand(),
	statusCommand(),
	nodeCommand(),
	clockCommand(),
	kubeconfigCommand(),
	kubectlCommand(),
	snapshotCommand(),
	secretsCommand(),
	tourCommand(),
	resetCommand(),
])
	program.addCommand(command);

try {
	await program.parseAsync();
} catch (error) {
	reportFailure(error);
}
