import type { Command } from "commander";
import { createEventRecorder } from "../../client/events/recorder.ts";
import { connect } from "../../cluster/control/connect.ts";
import { userName } from "../../cluster/files/account.ts";
import { systemClock } from "../../core/time/clock.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { EnvVar } from "../../kinds/generated/types.ts";
import { envVar, manualJob } from "../../kinds/self-help/manual-job.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

interface RunOptions {
	data?: string;
	namespace: string;
	name?: string;
	container?: string;
	env?: EnvVar[];
	arg?: string[];
	by?: string;
}

export function runCommand(): Command {
	return clusterCommand("run", "run a CronJob now")
		.argument("<cronjob/NAME>", "the CronJob, suspended or not")
		.option("-n, --namespace <namespace>", "the namespace", "default")
		.option("--name <name>", "name of the Job (default: generated)")
		.option("-c, --container <name>", "the container whose env and args to change (default: the first)")
		.option("-e, --env <name=value>", "a variable for this run only; can be repeated", (text, all: EnvVar[] = []) => [
			...all,
			envVar(text),
		])
		.option("--arg <arg>", "replaces all args, for this run only; can be repeated", (text, all: string[] = []) => [
			...all,
			text,
		])
		.option("--by <who>", "the user in the Job's annotation (default: the user of this machine)")
		.action(async (what: string, options: RunOptions) => {
			const [, name] = /^(?:(?:cronjobs?|cj)(?:\.batch)?\/)?([^/]+)$/.exec(what) ?? [];
			if (name === undefined) throw new Error(`expected cronjob/NAME, not ${what}`);
			await using connection = await connect(layoutFrom(options), "cox");
			const { client } = connection;
			const { namespace, container, env = [], arg: args, by = userName() } = options;
			const cronJob = await client.get(cronJobs, { namespace, name });
			const job = await client.create(jobs, manualJob(cronJob, { by, name: options.name, container, env, args }));
			const recorder = createEventRecorder(client, { clock: systemClock() });
			const message = `Created job ${job.metadata.name} by hand, for ${by}`;
			recorder.record({ regarding: cronJob, type: "Normal", reason: "StartedByHand", message, component: "cox" });
			await recorder.flush();
			say(`job.batch/${job.metadata.name} created`);
		});
}
