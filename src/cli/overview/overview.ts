/** What `cox` alone prints: where things stand, and what to do next. */
import { existsSync } from "node:fs";
import { connect } from "../../cluster/control/connect.ts";
import { NotRunning } from "../../cluster/control/control-client.ts";
import type { ClusterStatus } from "../../cluster/control/control-protocol.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { readSettings, type Settings } from "../../cluster/settings/settings.ts";
import { allProblems, isHarmless } from "../../why/explain.ts";
import type { Evidence } from "../../why/findings/evidence.ts";
import { gatherAll } from "../../why/gather.ts";
import { phraseOf } from "../../why/text/sentences.ts";
import { ownCommand } from "../options/own-command.ts";
import { runningStatus } from "../options/running-status.ts";
import { printable } from "../why/explanation-text.ts";

/** More are counted only: `cox why` explains them. */
const mostProblems = 5;
const widest = 110;

/** @throws Error if the cluster does not answer as it should */
export async function overview(layout: Layout): Promise<string> {
	try {
		const status = await runningStatus(layout);
		await using connection = await connect(layout, "cox");
		return runningText(layout, status, await gatherAll(connection.client, status.clock.nowMs));
	} catch (error) {
		if (!(error instanceof NotRunning)) throw error;
		if (!existsSync(layout.settings)) return absentText(layout);
		return stoppedText(layout, readSettings(layout.settings));
	}
}

function absentText({ data }: Layout): string {
	return [
		`There is no cluster in ${data} yet.`,
		...next([
			["up --nodes 3", "starts one with three nodes"],
			["tour", "shows what it can do, step by step"],
			["doctor", "checks what this machine can do"],
		]),
	].join("\n");
}

function stoppedText({ data }: Layout, settings: Settings | undefined): string {
	const nodes = counted(Object.keys(settings?.nodes ?? {}).length, "node");
	return [
		`The cluster in ${data} is stopped: ${nodes}, ${settings?.runtime ?? "unknown"} runtime.`,
		...next([
			["up", "starts it again, with all its objects"],
			["reset", "deletes it"],
			["doctor", "checks what this machine can do"],
		]),
	].join("\n");
}

/** @param evidence of all namespaces */
export function runningText({ data }: Layout, status: ClusterStatus, evidence: readonly Evidence[]): string {
	const lost = status.nodes.filter(({ ready }) => !ready).map(({ name }) => name);
	const nodes = `${counted(status.nodes.length, "node")}${lost.length === 0 ? "" : `, not ready: ${lost.join(", ")}`}`;
	const pods = evidence.reduce((sum, one) => sum + one.pods.length, 0);
	const problems = problemLines(evidence);
	return [
		`The cluster in ${data} is running: ${nodes}, ${counted(pods, "pod")}.`,
		`API server ${status.server}`,
		...status.warnings.map((warning) => `Warning: ${warning}`),
		...(problems.length === 0 ? ["There are no problems."] : problems),
		...next([
			...(problems.length === 0 ? [] : [["why -A", "explains the problems, and says what helps"] as const]),
			["kubectl get pods -A", "lists the pods; also 'export KUBECONFIG=$(cox kubeconfig)' and kubectl itself"],
			["dashboard", "shows the cluster in a browser"],
			["status", "shows nodes, addresses and limitations"],
			["down", "stops the cluster and keeps its data"],
		]),
	].join("\n");
}

function problemLines(evidence: readonly Evidence[]): string[] {
	const found = allProblems(evidence);
	if (found.length === 0) return [];
	const width = Math.min(process.stdout.columns ?? widest, widest);
	return [
		`${counted(found.length, "problem")}:`,
		...found.slice(0, mostProblems).map(({ namespace, type, name, findings }) => {
			const finding = findings.find((one) => !isHarmless(one));
			const says = finding === undefined ? "" : phraseOf(finding).says;
			return shortened(printable(`  ${type === "node" ? "" : `${namespace} `}${type}/${name}: ${says}`), width);
		}),
		...(found.length > mostProblems ? [`  … and ${found.length - mostProblems} more`] : []),
	];
}

function shortened(line: string, width: number): string {
	return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** @param commands without the program's name, and what they do */
function next(commands: readonly (readonly [string, string])[]): string[] {
	const all = [...commands, ["--help", "lists all commands"] as const];
	const width = Math.max(...all.map(([command]) => command.length));
	return ["", ...all.map(([command, does]) => `  ${ownCommand} ${command.padEnd(width)}   ${does}`)];
}
