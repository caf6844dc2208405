import { existsSync } from "node:fs";
import type { Command } from "commander";
import { forgetData } from "../../cluster/data/data-directories.ts";
import { deleteData } from "../../cluster/data/data-entries.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

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
			const { stopCluster } = await import("../../cluster/server/stop.ts");
			await stopCluster(layout);
			const kept = await deleteData(layout.data);
			forgetData(layout.data);
			if (kept.length === 0) say(`deleted ${layout.data}`);
			else say(`deleted the cluster in ${layout.data}; other files were kept: ${kept.join(", ")}`);
		},
	);
}
