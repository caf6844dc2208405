import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { NotRunning } from "../../cluster/control/control-client.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";

const howToGet = [
	"kubectl is not on your PATH. Any version from 1.20 works; to install it:",
	"  Debian, Ubuntu:  apt-get install kubernetes-client",
	"  others:          https://kubernetes.io/docs/tasks/tools/#kubectl",
].join("\n");

/**
 * `cox kubectl get pods`: the kubectl on PATH, with this cluster's kubeconfig. Options before the first word are cox's
 * own.
 */
export function kubectlCommand(): Command {
	return clusterCommand("kubectl", "run the kubectl on PATH with this cluster's kubeconfig")
		.argument("[args...]", "arguments for kubectl")
		.passThroughOptions()
		.allowUnknownOption()
		.action(async (args: string[], options: { data?: string }) => {
			const layout = layoutFrom(options);
			if (!existsSync(layout.kubeconfig)) throw new NotRunning(layout.data);
			process.exitCode = await runKubectl(args, layout.kubeconfig);
		});
}

function runKubectl(args: readonly string[], kubeconfig: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const child = spawn("kubectl", args, { stdio: "inherit", env: { ...process.env, KUBECONFIG: kubeconfig } });
		// A terminal sends Ctrl-C to both; kubectl decides what it means.
		const ignore = () => {};
		process.on("SIGINT", ignore);
		child.on("error", (error: NodeJS.ErrnoException) => reject(error.code === "ENOENT" ? new Error(howToGet) : error));
		child.on("close", (code) => {
			process.off("SIGINT", ignore);
			resolve(code ?? 1);
		});
	});
}
