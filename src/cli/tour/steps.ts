import { waitForList } from "../../client/wait.ts";
import { isTrue } from "../../core/conditions.ts";
import { cronJobs } from "../../kinds/batch/cronjob.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { CronJob, Job } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { apply, command, coxCommand, fact, logs, quote, type Stage, watchPods } from "./stage.ts";

/** A Job that counts, and the output of its pods. */
export async function jobStep(stage: Stage): Promise<void> {
	await apply(stage, "job.yaml");
	const finished = await watchPods(
		stage,
		"job-name=counter",
		(list) => list.filter((pod) => pod.status?.phase === "Succeeded").length === 3,
	);
	command("logs -l job-name=counter --prefix");
	for (const pod of finished) quote(await logs(stage, pod.metadata.name));
	await jobComplete(stage, "counter");
	fact("job.batch/counter is Complete: 3 of 3");
}

/** A CronJob, triggered manually and then by its schedule. */
export async function cronJobStep(stage: Stage): Promise<void> {
	await apply(stage, "cronjob.yaml");
	command("create job by-hand --from=cronjob/reporter");
	await jobFromCronJob(
		stage,
		await stage.client.get(cronJobs, { namespace: stage.namespace, name: "reporter" }),
		"by-hand",
	);
	await jobComplete(stage, "by-hand");
	await quoteJob(stage, "by-hand");
	fact("…and by its schedule:");
	const scheduled = await waitForList(
		stage.client,
		jobs,
		{ namespace: stage.namespace },
		(list) => list.some((job) => job.metadata.name.startsWith("reporter-") && isComplete(job)),
		stage,
	);
	const job = scheduled.find((candidate) => candidate.metadata.name.startsWith("reporter-"));
	fact(`job.batch/${job?.metadata.name} was created by cronjob.batch/reporter (schedule "@every 2s")`);
	if (job !== undefined) await quoteJob(stage, job.metadata.name);
	command(`patch cronjob reporter -p '{"spec":{"suspend":true}}'`);
	await stage.client.patch(
		cronJobs,
		{ namespace: stage.namespace, name: "reporter" },
		{ type: "merge", patch: { spec: { suspend: true } } },
	);
}

/** The request of `kubectl create job --from=cronjob/…`. */
async function jobFromCronJob(stage: Stage, cronJob: CronJob, name: string): Promise<void> {
	const ref = { namespace: stage.namespace, name };
	const existing = await stage.client.list(jobs, {
		namespace: stage.namespace,
		fieldSelector: `metadata.name=${name}`,
	});
	if (existing.items.length > 0) {
		await stage.client.delete(jobs, ref, { propagationPolicy: "Background" });
		await waitForList(
			stage.client,
			jobs,
			{ namespace: stage.namespace, fieldSelector: `metadata.name=${name}` },
			(list) => list.length === 0,
			stage,
		);
	}
	await stage.client.create(jobs, {
		metadata: {
			...ref,
			annotations: { "cronjob.kubernetes.io/instantiate": "manual", ...cronJob.spec.jobTemplate.metadata?.annotations },
			labels: cronJob.spec.jobTemplate.metadata?.labels,
			ownerReferences: [
				{
					apiVersion: "batch/v1",
					kind: "CronJob",
					name: cronJob.metadata.name,
					uid: cronJob.metadata.uid,
					controller: true,
				},
			],
		},
		spec: cronJob.spec.jobTemplate.spec,
	});
}

function isComplete(job: Job): boolean {
	return isTrue(job, "Complete");
}

async function jobComplete(stage: Stage, name: string): Promise<void> {
	const selection = { namespace: stage.namespace, fieldSelector: `metadata.name=${name}` };
	await waitForList(stage.client, jobs, selection, (list) => list.some(isComplete), stage);
}

async function quoteJob(stage: Stage, name: string): Promise<void> {
	command(`logs job/${name}`);
	const { items } = await stage.client.list(pods, { namespace: stage.namespace, labelSelector: `job-name=${name}` });
	for (const pod of items) quote(await logs(stage, pod.metadata.name));
}

/** A DaemonSet, and a node that is added later. */
export async function daemonSetStep(stage: Stage, nodeCount: number): Promise<void> {
	await apply(stage, "daemonset.yaml");
	await watchPods(stage, "app=log-collector", (list) => list.filter(isReady).length === nodeCount);
	fact("one pod on each node; now a node more:");
	coxCommand("node add");
	const added = await stage.addNode();
	await watchPods(stage, "app=log-collector", (list) =>
		list.some((pod) => pod.spec.nodeName === added && isReady(pod)),
	);
	fact(`${added} has its pod too`);
}

/** A StatefulSet with three replicas, its claims and DNS names, and a pod that keeps its data when it is replaced. */
export async function statefulSetStep(stage: Stage): Promise<void> {
	await apply(stage, "statefulset.yaml");
	await watchPods(stage, "app=diary", (list) => list.filter(isReady).length === 3);
	command("get pvc");
	const claims = await stage.client.list(persistentVolumeClaims, { namespace: stage.namespace });
	for (const { metadata, spec, status } of claims.items)
		if (metadata.name.startsWith("data-diary-")) quote(`${metadata.name}  ${status?.phase}  ${spec.volumeName}`);
	await apply(stage, "lookup-job.yaml");
	await jobComplete(stage, "lookup");
	await quoteJob(stage, "lookup");
	const before = await stage.client.get(pods, { namespace: stage.namespace, name: "diary-1" });
	command("delete pod diary-1");
	await stage.client.delete(pods, { namespace: stage.namespace, name: "diary-1" });
	await watchPods(stage, "app=diary", (list) =>
		list.some((pod) => pod.metadata.name === "diary-1" && pod.metadata.uid !== before.metadata.uid && isReady(pod)),
	);
	command("logs diary-1");
	quote(await logs(stage, "diary-1"));
	fact("same name, same claim: it remembers its earlier life");
}

/** A Deployment whose init container waits for a service with DNS. */
export async function deploymentStep(stage: Stage): Promise<void> {
	await apply(stage, "deployment.yaml");
	await watchPods(
		stage,
		"app=web",
		(list) =>
			list.length === 2 && list.every((pod) => pod.status?.initContainerStatuses?.[0]?.state?.running !== undefined),
	);
	fact("both pods wait in their init container until the name 'backend' can be resolved:");
	await apply(stage, "backend.yaml");
	const ready = await watchPods(stage, "app=web", (list) => list.filter(isReady).length === 2);
	command(`logs ${ready[0]?.metadata.name} -c wait-for-backend --tail=1`);
	if (ready[0] !== undefined) {
		const waited = (await logs(stage, ready[0].metadata.name, "wait-for-backend")).trimEnd().split("\n");
		quote(waited.at(-1) ?? "");
	}
}
