import { Command } from "commander";
import { checkReachable } from "../../cluster/data/data-entries.ts";
import { type Layout, layoutOf } from "../../cluster/files/layout.ts";

/** A command with the option `--data DIR`, which all commands have. */
export function clusterCommand(name: string, description: string): Command {
	return new Command(name)
		.description(description)
		.option("--data <dir>", "the cluster's data directory (default: $COX_DATA, else ~/.coxswain)");
}

/** @throws Error if the directory belongs to another user, or is not a directory */
export function layoutFrom(options: { data?: string }): Layout {
	// An empty value, perhaps from an unset variable, would mean the current directory.
	if (options.data === "") throw new Error("--data needs the path of a directory");
	const layout = layoutOf(options.data);
	checkReachable(layout.data);
	return layout;
}
