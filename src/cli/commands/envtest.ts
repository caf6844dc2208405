import { Command } from "commander";
import { writeAssets } from "../../cluster/envtest/assets.ts";
import { say } from "../options/output.ts";
import { count } from "../options/whole-number.ts";

export function envtestCommand(): Command {
	return new Command("envtest")
		.description("write an assets folder for the envtest suites of Go operators")
		.argument("<dir>", "folder for etcd, kube-apiserver and kubectl")
		.option(
			"--controllers <names>",
			"controllers that run besides the API server, comma-separated; '*' for all (default: none, as upstream)",
		)
		.option("--nodes <n>", "number of simulated nodes (default: none, as upstream)", count)
		.action((folder: string, options: { controllers?: string; nodes?: number }) => {
			say(`export KUBEBUILDER_ASSETS=${writeAssets(folder, options)}`);
		});
}
