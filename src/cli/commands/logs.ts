import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { connect } from "../../cluster/control/connect.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { readSettings } from "../../cluster/settings/settings.ts";
import { systemClock } from "../../core/time/clock.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { runs } from "../../kinds/history/run.ts";
import type { Run } from "../../kinds/history/types.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { hasBegun, isRunExpected, latestRun, startMessage } from "../options/latest-run.ts";
import { runMatcher, typeAndName } from "../options/run-name.ts";
import { count } from "../options/whole-number.ts";

interface LogsOptions {
	data?: string;
	namespace: string;
	run?: string;
	container?: string;
	pod?: string;
	follow?: true;
	previous?: true;
	tail?: number;
	sinceTime?: string;
	timestamps?: true;
}

export function logsCommand(): Command {
	return clusterCommand("logs", "print the logs of a run, even if its Job and pods are deleted")
		.argument("[what]", "cronjob/NAME or job/NAME: the latest run")
		.option("-n, --namespace <namespace>", "the namespace", "default")
		.option("--run <name>", "the run (see 'cox runs')")
		.option("-c, --container <name>", "the container")
		.option("--pod <name>", "the pod of the run (default: the last one)")
		.option("-f, --follow", "follow the log while the container runs")
		.option("--previous", "the attempt before the last one")
		.option("--tail <lines>", "the number of lines from the end", count)
		.option("--since-time <time>", "only lines since this time (RFC 3339)")
		.option("--timestamps", "print the time of each line")
		.action(async (what: string | undefined, options: LogsOptions) => {
			const wanted = wantedRun(what, options.run);
			const layout = layoutFrom(options);
			await using connection = await connect(layout, "cox");
			const run = await awaitedRun(connection.client, layout, wanted, options.namespace);
			const query = new URLSearchParams();
			const ask = (name: string, value: string | undefined) => value !== undefined && query.set(name, value);
			ask("container", options.container ?? defaultContainer(run, options.pod));
			ask("pod", options.pod);
			ask("follow", options.follow && "true");
			ask("previous", options.previous && "true");
			ask("tailLines", options.tail === undefined ? undefined : String(options.tail));
			ask("sinceTime", options.sinceTime);
			ask("timestamps", options.timestamps && "true");
			const { metadata } = run;
			const path = `/apis/history.coxswain.io/v1/namespaces/${metadata.namespace}/runs/${metadata.name}/log`;
			let isEmpty = true;
			await connection.stream(path, query, (chunk) => {
				isEmpty &&= chunk.length === 0;
				process.stdout.write(chunk);
			});
			const why = isEmpty ? startMessage(run) : undefined;
			if (why !== undefined) process.stderr.write(`cox: no logs: ${why}\n`);
		});
}

/**
 * A name alone, as with --run, is that of a run, or of the Job or CronJob whose latest run is shown.
 * @throws Error unless exactly one is named
 */
function wantedRun(what: string | undefined, run: string | undefined): string {
	if (what !== undefined && run !== undefined)
		throw new Error(`${what} and --run ${run} both name a run: use only one of them`);
	if (run !== undefined) return run.replace(/^runs?\//, "");
	if (what === undefined)
		throw new Error("expected cronjob/NAME, job/NAME or --run NAME; for pods, use 'kubectl logs'");
	if (typeAndName(what).type === undefined)
		throw new Error(`expected cronjob/${what}, job/${what} or run/${what}: several may have the same name`);
	return what;
}

/** How long the command waits for the run of a new Job, and the interval of its checks. */
const patienceMs = 15_000;
const pauseMs = 250;
/** The command reports that it waits after this time, a multiple of the interval. */
const quietMs = 3000;

/** @throws Error if there is no run and none is expected */
async function awaitedRun(client: Client, layout: Layout, wanted: string, namespace: string): Promise<Run> {
	const isWanted = runMatcher(wanted);
	for (let waitedMs = 0; ; waitedMs += pauseMs) {
		const { items } = await client.list(runs, { namespace });
		const run = latestRun(items, isWanted);
		if (readSettings(layout.settings)?.history === false) {
			if (run !== undefined) return run;
			throw new Error("there is no history of Jobs: the cluster was started with --no-history");
		}
		const isExpected = isRunExpected((await client.list(jobs, { namespace })).items, items, isWanted);
		if (run !== undefined && hasBegun(run) && !isExpected) return run;
		if (waitedMs >= patienceMs || (run === undefined && !isExpected)) {
			if (run !== undefined) return run;
			const { type, name } = typeAndName(wanted);
			throw new Error(
				`there is no run ${type === "run" || type === undefined ? name : `of ${wanted}`} in namespace ${namespace}; 'cox runs' lists all runs`,
			);
		}
		if (waitedMs === quietMs) process.stderr.write(`cox: ${wanted} has not started yet; waiting for it\n`);
		await systemClock().sleep(pauseMs);
	}
}

/** The first of several containers, as with kubectl, which says so. */
function defaultContainer({ status }: Run, podName: string | undefined): string | undefined {
	const pod = (status.pods ?? []).findLast(({ name, uid }) => podName === undefined || [name, uid].includes(podName));
	const names = (pod?.containers ?? []).filter(({ init }) => init !== true).map(({ name }) => name);
	const [first] = names;
	if (names.length < 2) return undefined;
	process.stderr.write(`Defaulted container "${first}" out of: ${names.join(", ")}\n`);
	return first;
}
