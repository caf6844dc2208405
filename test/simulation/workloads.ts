/** The workloads of a simulated cluster. The seed determines which ones exist, and their settings. */
import type { Client } from "../../src/client/client.ts";
import { standardStorageClass } from "../../src/controllers/volumes/standard-class.ts";
import { isReason } from "../../src/core/errors.ts";
import type { Draft, KubeObject } from "../../src/core/object.ts";
import { daemonSets } from "../../src/kinds/apps/daemonset.ts";
import { deployments } from "../../src/kinds/apps/deployment.ts";
import { statefulSets } from "../../src/kinds/apps/statefulset.ts";
import { cronJobs } from "../../src/kinds/batch/cronjob.ts";
import { jobs } from "../../src/kinds/batch/job.ts";
import { namespaces } from "../../src/kinds/core/namespace.ts";
import { secrets } from "../../src/kinds/core/secret.ts";
import type { Kind } from "../../src/kinds/engine/kind.ts";
import { services } from "../../src/kinds/networking/service.ts";
import { notificationPolicies } from "../../src/kinds/notify/notificationpolicy.ts";
import { podDisruptionBudgets } from "../../src/kinds/policy/poddisruptionbudget.ts";
import { resourceQuotas } from "../../src/kinds/quota/resourcequota.ts";
import { storageClasses } from "../../src/kinds/storage/storageclass.ts";
import type { SimulatedCluster } from "./cluster.ts";

export const namespace = "default";

/** An object that a user keeps, and creates again when it was deleted. */
export interface Workload {
	readonly kind: Kind;
	readonly name: string;
	make(client: Client): Promise<unknown>;
}

/** Retries until it succeeds. An object that already exists, or no longer exists, is a success. */
export async function persistently(
	{ user, clock }: SimulatedCluster,
	work: (client: Client) => Promise<unknown>,
): Promise<void> {
	for (let attempt = 0; attempt < 100; attempt++) {
		try {
			await work(user);
			return;
		} catch (error) {
			if (isReason(error, "AlreadyExists", "NotFound")) return;
			if (isReason(error, "Invalid", "BadRequest")) throw error;
			await clock.sleep(500);
		}
	}
}

function workload<T extends KubeObject>(
	kind: Kind<T>,
	name: string,
	draft: Omit<Draft<T>, "metadata">,
	annotations: Record<string, string> = {},
): Workload {
	// A draft without metadata, and the metadata.
	const whole = { metadata: { name, namespace, annotations }, ...draft } as Draft<T>;
	return { kind: kind as unknown as Kind, name, make: (client) => client.create(kind, whole) };
}

const annotation = (name: string) => `simulate.coxswain.io/${name}`;
const selector = (app: string) => ({ matchLabels: { app } });

function template(app: string, annotations: Record<string, string>, spec: object = {}) {
	return {
		metadata: { labels: { app }, annotations },
		spec: { containers: [{ name: "main", image: "busybox" }], terminationGracePeriodSeconds: 5, ...spec },
	};
}

function service(app: string): Workload {
	const ports = [{ name: "web", port: 80 }];
	return workload(services, app, { spec: { clusterIP: "None", selector: selector(app).matchLabels, ports } });
}

function statefulSet(name: string, spec: object): Workload {
	return workload(statefulSets, name, {
		spec: {
			serviceName: name,
			selector: selector(name),
			template: template(name, { [annotation("ready-delay")]: "3s" }),
			...spec,
		},
	});
}

const claims = {
	volumeClaimTemplates: [
		{
			metadata: { name: "data" },
			spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
		},
	],
};

function job(name: string, completionMode: string, completions: number, annotations: Record<string, string>): Workload {
	return workload(jobs, name, {
		spec: {
			completions,
			parallelism: 3,
			completionMode,
			backoffLimit: 1000,
			template: template(name, annotations, { restartPolicy: "Never" }),
		},
	});
}

/** A short Job. */
export function passingJob(name: string, fails: boolean): Workload {
	const annotations = { [annotation("duration")]: "1s", ...(fails && { [annotation("exit-code")]: "1" }) };
	return workload(jobs, name, {
		spec: { backoffLimit: 0, template: template(name, annotations, { restartPolicy: "Never" }) },
	});
}

function cronJob(name: string, spec: { schedule: string; concurrencyPolicy?: string }, duration: string): Workload {
	const jobTemplate = {
		spec: { template: template(name, { [annotation("duration")]: duration }, { restartPolicy: "OnFailure" }) },
	};
	return workload(cronJobs, name, { spec: { ...spec, jobTemplate } });
}

/** Half of its Jobs fail. */
function flakyCronJob(name: string): Workload {
	const annotations = { [annotation("duration")]: "5s", [annotation("failure-rate")]: "0.5" };
	const jobTemplate = { spec: { backoffLimit: 0, template: template(name, annotations, { restartPolicy: "Never" }) } };
	return workload(cronJobs, name, { spec: { schedule: "* * * * *", jobTemplate } });
}

/** Workloads that a seed has completely or not at all. */
interface Choice {
	/** They need nothing else to complete. */
	pods: number;
	workloads: Workload[];
}

/** All possible workloads. */
function choices(dice: () => number): Choice[] {
	const kept = dice() < 0.5 ? claims : {};
	const retention = { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Delete" } };
	const deletable = dice() < 0.5 ? { ...claims, ...retention } : {};
	const rolling = [{ maxUnavailable: 1 }, { maxUnavailable: 2 }, { maxSurge: 1, maxUnavailable: 0 }][
		Math.floor(dice() * 3)
	];
	return [
		{ pods: 5, workloads: [service("ordered"), statefulSet("ordered", { replicas: 3, ...kept })] },
		{
			pods: 5,
			workloads: [
				service("parallel"),
				statefulSet("parallel", { replicas: 4, podManagementPolicy: "Parallel", ...deletable }),
				workload(podDisruptionBudgets, "parallel", { spec: { maxUnavailable: 1, selector: selector("parallel") } }),
			],
		},
		{
			pods: 5,
			workloads: [
				workload(daemonSets, "agent", {
					spec: {
						selector: selector("agent"),
						template: template("agent", {}),
						updateStrategy: { type: "RollingUpdate", rollingUpdate: rolling },
					},
				}),
			],
		},
		{
			pods: 6,
			workloads: [
				service("front"),
				workload(deployments, "front", {
					spec: {
						replicas: 4,
						selector: selector("front"),
						template: template("front", { [annotation("ready-delay")]: "1s" }),
					},
				}),
				workload(podDisruptionBudgets, "front", { spec: { minAvailable: 2, selector: selector("front") } }),
			],
		},
		{
			pods: 3,
			workloads: [
				job("count", "NonIndexed", 6, { [annotation("duration")]: "15s", [annotation("failure-rate")]: "0.2" }),
			],
		},
		{ pods: 3, workloads: [job("index", "Indexed", 5, { [annotation("duration")]: "20s" })] },
		{
			pods: 6,
			workloads: [
				workload(
					deployments,
					"second",
					{ spec: { replicas: 2, selector: selector("second"), template: template("second", {}) } },
					{ "coxswain.io/after": "job/first" },
				),
				job("first", "NonIndexed", 3, { [annotation("duration")]: "15s", [annotation("failure-rate")]: "0.2" }),
			],
		},
		{
			pods: 5,
			workloads: [
				workload(
					jobs,
					"each",
					{
						spec: {
							backoffLimit: 1000,
							template: template("each", { [annotation("duration")]: "15s" }, { restartPolicy: "Never" }),
						},
					},
					{ "coxswain.io/per-node": "once" },
				),
			],
		},
		{ pods: 1, workloads: [cronJob("tick", { schedule: "* * * * *" }, "5s")] },
		{ pods: 1, workloads: [flakyCronJob("flaky")] },
		{ pods: 1, workloads: [cronJob("alone", { schedule: "* * * * *", concurrencyPolicy: "Forbid" }, "80s")] },
	];
}

/** Creates this seed's workloads. */
export async function makeWorkloads(cluster: SimulatedCluster): Promise<Workload[]> {
	const { random } = cluster;
	const before = ["default", "kube-system", "kube-node-lease"].map((name) =>
		persistently(cluster, (client) => client.create(namespaces, { metadata: { name }, spec: {} })),
	);
	await Promise.all(before);
	await persistently(cluster, (client) => client.create(storageClasses, standardStorageClass));
	const hook = { name: "hook", namespace };
	await persistently(cluster, (client) =>
		client.create(secrets, { metadata: hook, stringData: { url: "https://hook.example.com/" } }),
	);
	const urlFrom = { secretKeyRef: { name: "hook", key: "url" } };
	await persistently(cluster, (client) =>
		client.create(notificationPolicies, {
			metadata: hook,
			spec: { events: ["Succeeded", "Failed"], sinks: [{ name: "hook", webhook: { urlFrom } }] },
		}),
	);
	const all = choices(random);
	const some = all.filter(() => random() < 0.5);
	const choice = some.length === 0 ? all : some;
	const chosen = choice.flatMap(({ workloads }) => workloads);
	// Sometimes with just enough capacity.
	const pods = choice.reduce((sum, one) => sum + one.pods, 0);
	if (random() < 0.5) chosen.push(workload(resourceQuotas, "pods", { spec: { hard: { pods: String(pods) } } }));
	for (const { make } of chosen) await persistently(cluster, make);
	return chosen;
}
