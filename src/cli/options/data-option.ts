import { Command } from "commander";
import { type Layout, layoutOf } from "../../cluster/files/layout.ts";

/** A command that takes `--data DIR`, as all do. */
export function clusterCommand(name: string, description: string): Command {
	return new Command(name)
		.description(description)
		.option("--data <dir>", "the cluster's data directory, which names it (default: $COX_DATA, else ~/.coxswain)");
}

export function layoutFrom(options: { data?: string }): Layout {
	return layoutOf(options.data);
}
