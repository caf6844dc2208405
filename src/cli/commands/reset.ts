import { existsSync } from "node:fs";
import type { Command } from "commander";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";
import { withProgress } from "../options/progress.ts";

export function resetCommand(): Command {
	return clusterCommand("reset", "stop the cluster and delete all its data").action(
		async (options: { data?: string }) => {
			const layout = layoutFrom(options);
			if (!existsSync(layout.data)) return say(`there is nothing in ${layout.data}`);
			// Deletes only what a cluster created: a mistyped --data must not delete other files.
			if (!existsSync(layout.settings))
				throw new Error(
					`${layout.data} does not look like a cluster's data directory (it has no cluster.json); nothing was deleted`,
				);
			const { removeCluster } = await import("../../cluster/server/remove.ts");
			const kept = await withProgress("deleting the cluster", () => removeCluster(layout));
			if (kept.length === 0) say(`deleted ${layout.data}`);
			else say(`deleted the cluster in ${layout.data}; other files were kept: ${kept.join(", ")}`);
		},
	);
}
