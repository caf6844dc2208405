import { Command } from "commander";
import { checkReachable } from "../../cluster/data/data-entries.ts";
import { type Layout, layoutOf } from "../../cluster/files/layout.ts";

/** A command that takes `--data DIR`, as all do. */
export function clusterCommand(name: string, description: string): Command {
	return new Command(name)
		.description(description)
		.option("--data <dir>", "the cluster's data directory (default: $COX_DATA, else ~/.coxswain)");
}

/** @throws Error when the directory is another user's, or no directory */
export function layoutFrom(options: { data?: string }): Layout {
	// An empty one, of a variable that is not set perhaps, would be the directory that the command was called in.
	if (options.data === "") throw new Error("--data needs the path of a directory");
	const layout = layoutOf(options.data);
	checkReachable(layout.data);
	return layout;
}
