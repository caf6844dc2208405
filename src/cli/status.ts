import type { Command } from "commander";
import { control } from "../cluster/control-client.ts";
import type { ClusterStatus } from "../cluster/control-protocol.ts";
import { clusterCommand, layoutFrom } from "./data-option.ts";
import { say, table } from "./output.ts";

export function statusCommand(): Command {
	return clusterCommand("status", "show what runs")
		.option("--json", "as JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const status = await control(layoutFrom(options), "status");
			say(options.json ? JSON.stringify(status, null, 2) : statusText(status));
		});
}

function statusText(status: ClusterStatus): string {
	const nodes = status.nodes.map((node) => [
		node.name,
		node.ready ? "Ready" : "NotReady",
		node.address,
		node.podCidr,
		node.agentPid === undefined ? "-" : String(node.agentPid),
	]);
	const limitations = status.nodes.flatMap((node) => node.limitations.map((line) => `  ${node.name}: ${line}`));
	const clock =
		status.clock.kind === "virtual" ? `, virtual clock at ${new Date(status.clock.nowMs).toISOString()}` : "";
	return [
		`Coxswain ${status.version} (${status.runtime} runtime${status.mode === undefined ? "" : `, ${status.mode}`}${clock}), server process ${status.pid}`,
		`API server  ${status.server}`,
		`kubeconfig  ${status.kubeconfig}`,
		"",
		table([["NODE", "STATUS", "ADDRESS", "PODS", "AGENT PID"], ...nodes]),
		...(limitations.length === 0 ? [] : ["", "Limitations:", ...new Set(limitations)]),
	].join("\n");
}
