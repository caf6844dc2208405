import type { Command } from "commander";
import type { ClusterStatus } from "../../cluster/control/control-protocol.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson, table } from "../options/output.ts";
import { runningStatus } from "../options/running-status.ts";

export function statusCommand(): Command {
	return clusterCommand("status", "show the status of the cluster")
		.option("--json", "print JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const status = await runningStatus(layoutFrom(options));
			if (options.json) sayJson(status);
			else say(statusText(status));
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
	const limitations = limitationLines(status);
	const clock =
		status.clock.kind === "virtual" ? `, virtual clock at ${new Date(status.clock.nowMs).toISOString()}` : "";
	return [
		`Coxswain ${status.version} (${status.runtime} runtime${status.mode === undefined ? "" : `, ${status.mode}`}${clock}), server process ${status.pid}`,
		`API server  ${status.server}`,
		`kubeconfig  ${status.kubeconfig}`,
		...(status.ingressUrls.length === 0 ? [] : [`Ingresses   ${status.ingressUrls.join(" ")}`]),
		...supervisionLines(status),
		...status.warnings.map((warning) => `Warning     ${warning}`),
		"",
		table([["NODE", "STATUS", "ADDRESS", "PODS", "AGENT PID"], ...nodes]),
		...(limitations.length === 0 ? [] : ["", "Limitations:", ...limitations]),
		...(status.security.length === 0 ? [] : ["", "Security:", ...status.security.map((line) => `  ${line}`)]),
	].join("\n");
}

/** A line for each limitation, with the names of the affected nodes unless all are. */
function limitationLines({ nodes }: ClusterStatus): string[] {
	const names = new Map<string, string[]>();
	for (const { name, limitations } of nodes)
		for (const line of new Set(limitations)) names.set(line, [...(names.get(line) ?? []), name]);
	return [...names].map(([line, on]) => `  ${on.length === nodes.length ? "" : `${on.join(", ")}: `}${line}`);
}

function supervisionLines({ restarts, supervisorPid }: ClusterStatus): string[] {
	const { count, last } = restarts;
	return [
		...(count === 0 ? [] : [`Restarts    ${count}; ${last ?? ""}`]),
		...(supervisorPid === undefined
			? ["Supervisor  gone: the server process is not restarted if it crashes; run 'cox down' and 'cox up' to fix this"]
			: []),
	];
}
