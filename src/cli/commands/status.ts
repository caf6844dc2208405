import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Command } from "commander";
import { processesMarked, supervisorMark } from "../../cluster/control/cluster-processes.ts";
import { control, NotRunning } from "../../cluster/control/control-client.ts";
import type { ClusterStatus } from "../../cluster/control/control-protocol.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, table } from "../options/output.ts";

export function statusCommand(): Command {
	return clusterCommand("status", "show the status of the cluster")
		.option("--json", "print JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const status = await runningStatus(layoutFrom(options));
			say(options.json ? JSON.stringify(status, null, 2) : statusText(status));
		});
}

/** @throws NotRunning, or Error if the server has crashed and its supervisor is about to restart it */
async function runningStatus(layout: Layout): Promise<ClusterStatus> {
	try {
		return await control(layout, "status");
	} catch (error) {
		const [supervisor] = error instanceof NotRunning ? processesMarked([supervisorMark], layout.data) : [];
		if (supervisor === undefined) throw error;
		const end = lastEnd(layout.log, supervisor.pid);
		throw new Error(
			end === undefined
				? `the server process is being started; see ${layout.log}`
				: `the server process died and is being restarted; see ${layout.log}\n  ${end}`,
		);
	}
}

const logTailBytes = 64 * 1024;

/**
 * The last message of this supervisor in the cluster's log: how a server process ended, and when the next one starts.
 */
function lastEnd(log: string, supervisor: number): string | undefined {
	const lines = tailOf(log, logTailBytes).split("\n");
	return lines.findLast((line) => line.includes(` supervisor ${supervisor}: `));
}

function tailOf(file: string, byteCount: number): string {
	const descriptor = openSync(file, "r");
	try {
		const bytes = Buffer.alloc(byteCount);
		const read = readSync(descriptor, bytes, 0, byteCount, Math.max(0, fstatSync(descriptor).size - byteCount));
		return bytes.subarray(0, read).toString();
	} finally {
		closeSync(descriptor);
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
