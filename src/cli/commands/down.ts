import type { Command } from "commander";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";
import { withProgress } from "../options/progress.ts";

export function downCommand(): Command {
	return clusterCommand("down", "stop the cluster and keep its data").action(async (options: { data?: string }) => {
		const layout = layoutFrom(options);
		const { stopCluster } = await import("../../cluster/server/stop.ts");
		say(
			(await withProgress("stopping the cluster", () => stopCluster(layout)))
				? "stopped"
				: `nothing was running in ${layout.data}`,
		);
	});
}
