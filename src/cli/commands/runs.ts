import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { connect } from "../../cluster/control/connect.ts";
import { control } from "../../cluster/control/control-client.ts";
import { runs } from "../../kinds/history/run.ts";
import type { Run } from "../../kinds/history/types.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { startMs } from "../options/latest-run.ts";
import { say, sayJson, table } from "../options/output.ts";
import { runMatcher } from "../options/run-name.ts";
import { sinceMs } from "../options/since.ts";

interface RunsOptions {
	data?: string;
	namespace: string;
	allNamespaces?: true;
	failed?: true;
	since?: number;
	json?: true;
}

export function runsCommand(): Command {
	return clusterCommand("runs", "list the runs of Jobs, including deleted ones, newest first")
		.argument("[name]", "cronjob/NAME, job/NAME, run/NAME, or the name of any of them (default: all)")
		.option("-n, --namespace <namespace>", "the namespace", "default")
		.option("-A, --all-namespaces", "list runs in all namespaces")
		.option("--failed", "only unsuccessful runs: failed, deleted, or not started")
		.option("--since <duration>", "only runs that started within this duration: 30m, 24h, 7d", sinceMs)
		.option("--json", "print JSON")
		.action(async (name: string | undefined, options: RunsOptions) => {
			const layout = layoutFrom(options);
			const { clock } = await control(layout, "status");
			await using connection = await connect(layout, "cox");
			const found = await wantedRuns(connection.client, name, options, clock.nowMs);
			if (options.json) sayJson(found);
			else if (found.length === 0) say(noRuns(name, options));
			else say(runsText(found, options, clock.nowMs));
		});
}

/** @param nowMs of the cluster's clock */
async function wantedRuns(
	client: Client,
	name: string | undefined,
	options: RunsOptions,
	nowMs: number,
): Promise<Run[]> {
	const isWanted = name === undefined ? () => true : runMatcher(name);
	const { items } = await client.list(runs, options.allNamespaces ? {} : { namespace: options.namespace });
	return items
		.filter(isWanted)
		.filter(({ status }) => !options.failed || !["Running", "Succeeded"].includes(status.result))
		.filter((run) => options.since === undefined || startMs(run) >= nowMs - options.since)
		.sort((a, b) => startMs(b) - startMs(a));
}

function noRuns(name: string | undefined, { allNamespaces, failed, namespace, since }: RunsOptions): string {
	const which = failed || since !== undefined ? " that match" : "";
	return `no runs${name === undefined ? "" : ` of ${name}`}${which}${allNamespaces ? "" : ` in namespace ${namespace}`}`;
}

function runsText(found: readonly Run[], { allNamespaces }: RunsOptions, nowMs: number): string {
	const names = runs.columns.filter(({ priority }) => priority === 0).map(({ name }) => name);
	const header = [...(allNamespaces ? ["Namespace"] : []), ...names, "Reason"].map((text) => text.toUpperCase());
	const rows = found.map((run) => [
		...(allNamespaces ? [run.metadata.namespace ?? ""] : []),
		...runs.columns.filter(({ priority }) => priority === 0).map((column) => String(column.cell(run, nowMs))),
		reasonText(run),
	]);
	return table([header, ...rows]);
}

/** The reason, shortened to fit in a line; complete for a run that did not happen. */
function reasonText({ status }: Run): string {
	const { reason = "", message, skipped } = status;
	if (skipped !== undefined) return message ?? reason;
	const end = (status.pods ?? [])
		.flatMap(({ containers = [] }) => containers.flatMap(({ attempts = [] }) => attempts))
		.findLast(({ exitCode }) => exitCode !== undefined && exitCode !== 0);
	const exit = end === undefined || status.result === "Succeeded" ? "" : `exit code ${end.exitCode}`;
	// The container's output is more specific than the reason "Error".
	const why = exit === "" || end?.reason === undefined || end.reason === "Error" ? "" : ` (${end.reason})`;
	return [reason, `${exit}${why}`].filter((text) => text !== "").join(", ");
}
