import type { Command } from "commander";
import { connect } from "../../cluster/control/connect.ts";
import { runs } from "../../kinds/history/run.ts";
import type { Run } from "../../kinds/history/types.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { isNamed, startMs } from "./runs.ts";

interface LogsOptions {
	data?: string;
	namespace: string;
	run?: string;
	container?: string;
	pod?: string;
	follow?: true;
	previous?: true;
	tail?: string;
	sinceTime?: string;
	timestamps?: true;
}

export function logsCommand(): Command {
	return clusterCommand("logs", "show what a run wrote, also when its Job and its pods are gone")
		.argument("[what]", "cronjob/NAME or job/NAME: its latest run")
		.option("-n, --namespace <namespace>", "where", "default")
		.option("--run <name>", "this run (see 'cox runs')")
		.option("-c, --container <name>", "of this container")
		.option("--pod <name>", "of this pod of the run (default: the last one)")
		.option("-f, --follow", "go on while the container runs")
		.option("--previous", "of the attempt before the last one")
		.option("--tail <lines>", "only so many lines from the end")
		.option("--since-time <time>", "only what was written at this time (RFC 3339) or later")
		.option("--timestamps", "with the time of each line")
		.action(async (what: string | undefined, options: LogsOptions) => {
			await using connection = await connect(layoutFrom(options), "cox");
			const { items } = await connection.client.list(runs, { namespace: options.namespace });
			const { metadata } = chosen(items, what, options.run);
			const query = new URLSearchParams();
			const ask = (name: string, value: string | undefined) => value !== undefined && query.set(name, value);
			ask("container", options.container);
			ask("pod", options.pod);
			ask("follow", options.follow && "true");
			ask("previous", options.previous && "true");
			ask("tailLines", options.tail);
			ask("sinceTime", options.sinceTime);
			ask("timestamps", options.timestamps && "true");
			const path = `/apis/history.coxswain.io/v1/namespaces/${metadata.namespace}/runs/${metadata.name}/log`;
			await connection.stream(path, query, (chunk) => process.stdout.write(chunk));
		});
}

/** @throws Error that says what there is */
function chosen(items: readonly Run[], what: string | undefined, run: string | undefined): Run {
	if ((what === undefined) === (run === undefined))
		throw new Error("wanted cronjob/NAME, job/NAME or --run NAME; for pods there is 'kubectl logs'");
	const started = items.filter(({ status }) => status.result !== "Skipped");
	const found = run === undefined ? started.filter(matcher(what ?? "")) : started.filter((one) => isNamed(one, run));
	const newest = found.sort((a, b) => startMs(b) - startMs(a))[0];
	if (newest === undefined) throw new Error(`there is no run of ${what ?? run}; 'cox runs' lists those that there are`);
	return newest;
}

function matcher(what: string): (run: Run) => boolean {
	const [, type = "", name = ""] = /^([^/]+)\/(.+)$/.exec(what) ?? [];
	if (/^(cronjobs?|cj)(\.batch)?$/.test(type)) return ({ spec }) => spec.cronJobName === name;
	if (/^jobs?(\.batch)?$/.test(type)) return ({ spec }) => spec.jobName === name;
	if (/^runs?$/.test(type)) return ({ metadata }) => metadata.name === name;
	throw new Error(`wanted cronjob/NAME, job/NAME or run/NAME, not ${what}; for pods there is 'kubectl logs'`);
}
