/** The command `cox` itself; main.ts adds the commands that it needs. */
import { Command } from "commander";
import { version } from "../cluster/files/version.ts";
import { ownCommand } from "./options/own-command.ts";

export function emptyProgram(): Command {
	return new Command(ownCommand)
		.description("A Kubernetes-compatible cluster on this machine")
		.version(version)
		.enablePositionalOptions()
		.showHelpAfterError(`(${ownCommand} --help lists the commands)`);
}
