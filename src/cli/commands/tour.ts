import type { Command } from "commander";
import { clusterCommand } from "../options/data-option.ts";

export function tourCommand(): Command {
	return clusterCommand("tour", "start a three-node cluster and play a guided tour of the workloads").action(
		async (options: { data?: string }) => {
			const { tour } = await import("../tour/tour.ts");
			await tour(options);
		},
	);
}
