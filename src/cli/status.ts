import type { Command } from "commander";
import { control, NotRunning } from "../cluster/control-client.ts";
import type { ClusterStatus } from "../cluster/control-protocol.ts";
import type { Layout } from "../cluster/layout.ts";
import { processesMarked, supervisorMark } from "../cluster/processes.ts";
import { clusterCommand, layoutFrom } from "./data-option.ts";
import { say, table } from "./output.ts";

export function statusCommand(): Command {
	return clusterCommand("status", "show what runs")
		.option("--json", "as JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const status = await runningStatus(layoutFrom(options));
			say(options.json ? JSON.stringify(status, null, 2) : statusText(status));
		});
}

/** @throws NotRunning, or Error when the server has died and its supervisor is about to start another */
async function runningStatus(layout: Layout): Promise<ClusterStatus> {
	try {
		return await control(layout, "status");
	} catch (error) {
		if (error instanceof NotRunning && processesMarked(supervisorMark, layout.data).length > 0)
			throw new Error(`the server process is being started, or started again after it died; see ${layout.log}`);
		throw error;
	}
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
		...supervisionLines(status),
		...status.warnings.map((warning) => `Warning     ${warning}`),
		"",
		table([["NODE", "STATUS", "ADDRESS", "PODS", "AGENT PID"], ...nodes]),
		...(limitations.length === 0 ? [] : ["", "Limitations:", ...new Set(limitations)]),
		...(status.security.length === 0 ? [] : ["", "Security:", ...status.security.map((line) => `  ${line}`)]),
	].join("\n");
}

function supervisionLines({ restarts, supervisorPid }: ClusterStatus): string[] {
	const { count, last } = restarts;
	return [
		...(count === 0 ? [] : [`Restarts    ${count}; ${last ?? ""}`]),
		...(supervisorPid === undefined
			? ["Supervisor  gone: the server process is not started again should it die; 'cox down' and 'cox up' mend that"]
			: []),
	];
}
