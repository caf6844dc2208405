import { existsSync } from "node:fs";
import type { Command } from "commander";
import { NotRunning } from "../cluster/control-client.ts";
import { clusterCommand, layoutFrom } from "./data-option.ts";
import { say } from "./output.ts";

export function kubeconfigCommand(): Command {
	return clusterCommand("kubeconfig", "print the path of the kubeconfig").action((options: { data?: string }) => {
		const layout = layoutFrom(options);
		if (!existsSync(layout.kubeconfig)) throw new NotRunning(layout.data);
		say(layout.kubeconfig);
	});
}
