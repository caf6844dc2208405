import { controllerOf, objectKey, parseKey } from "../../core/object.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { jobs } from "../../kinds/batch/job.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { type CronJobState, plan } from "./plan.ts";

/** Starts jobs on a schedule (Kubernetes documentation, "CronJob"). */
export const cronJobController: Controller<CronJobState> = {
	name: "cronjob",
	component: "cronjob-controller",
	watches: [
		watchRule(cronJobs, (current, old) => {
			const cronJob = current ?? old;
			return cronJob === undefined ? [] : [objectKey(cronJob)];
		}),
		watchRule(jobs, (current, old) => {
			const keys = new Set<string>();
			for (const job of [current, old]) {
				const owner = job && controllerOf(job);
				if (owner?.kind === cronJobs.kind) keys.add(`${job?.metadata.namespace}/${owner.name}`);
			}
			return keys;
		}),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const cronJob = informers.of(cronJobs).get(namespace, name);
		if (cronJob === undefined) return undefined;
		return { cronJob, jobs: [...informers.of(jobs).controlledBy(cronJob.metadata.uid)] };
	},
	plan,
};
