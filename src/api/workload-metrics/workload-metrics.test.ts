import { expect, test } from "vitest";
import type { ApiResponse } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import type { CronJob, Job, Node, PersistentVolumeClaim, Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { objectKey } from "../cache/keys.ts";
import { testApi } from "../testing/test-api.ts";
import { cronJobFamilies, jobFamilies } from "./batch.ts";
import { nodeFamilies } from "./cluster.ts";
import type { KindFamilies } from "./family.ts";
import { workloadFamilies } from "./list.ts";
import { endpointSliceFamilies, networkPolicyFamilies } from "./network.ts";
import { podFamilies } from "./pods.ts";
import { autoscalerFamilies } from "./policy.ts";
import { kindText } from "./serve.ts";
import { claimFamilies } from "./storage.ts";
import { statefulSetFamilies } from "./workloads.ts";

/** Values by series, without the labels that every series of the object has. */
function told(families: KindFamilies, object: object): Record<string, number> {
	const whole = object as KubeObject;
	const text = [...kindText(families, [whole])].join("");
	const own = Object.entries(families.labels(whole))
		.map(([name, value]) => `${name}="${value ?? ""}"`)
		.join(",");
	const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
	const pairs = lines.map((line): [string, number] => {
		const cut = line.lastIndexOf(" ");
		const series = line.slice(0, cut);
		expect(series).toContain(own);
		return [series.replace(own, "").replace("{,", "{").replace("{}", ""), Number(line.slice(cut))];
	});
	expect(new Set(pairs.map(([series]) => series)).size).toBe(pairs.length);
	return Object.fromEntries(pairs);
}

const metadata = (name: string, more: Partial<KubeObject["metadata"]> = {}) => ({
	name,
	namespace: "default",
	uid: "u-1",
	resourceVersion: "7",
	creationTimestamp: "2026-01-01T00:00:00Z",
	...more,
});
const newYear = 1767225600;

test("a pod has the series of kube-state-metrics", () => {
	const pod: Partial<Pod> = {
		metadata: metadata("web-0", {
			ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "s", controller: true }],
		}),
		spec: {
			nodeName: "node-1",
			restartPolicy: "Always",
			nodeSelector: { "example.com/diskType": "ssd" },
			tolerations: [{ key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }],
			volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-web-0" } }],
			containers: [
				{
					name: "web",
					image: "nginx",
					resources: { requests: { cpu: "250m", memory: "64Mi" }, limits: { "example.com/gpu": "2" } },
				},
			],
		},
		status: {
			phase: "Running",
			qosClass: "Burstable",
			podIP: "10.0.0.1",
			podIPs: [{ ip: "10.0.0.1" }],
			hostIP: "192.168.0.1",
			startTime: "2026-01-01T00:00:01Z",
			conditions: [
				{ type: "Ready", status: "False", lastTransitionTime: "2026-01-01T00:00:02Z" },
				{ type: "PodScheduled", status: "True", lastTransitionTime: "2026-01-01T00:00:03Z" },
			],
			containerStatuses: [
				{
					name: "web",
					image: "nginx",
					imageID: "id",
					containerID: "c://1",
					ready: false,
					restartCount: 4,
					state: { waiting: { reason: "CrashLoopBackOff" } },
					lastState: { terminated: { exitCode: 2, reason: "Error", finishedAt: "2026-01-01T00:01:00Z" } },
				},
			],
		},
	};
	const found = told(podFamilies, pod);
	expect(found).toMatchObject({
		'kube_pod_info{host_ip="192.168.0.1",pod_ip="10.0.0.1",node="node-1",created_by_kind="StatefulSet",created_by_name="web",priority_class="",host_network="false"}': 1,
		'kube_pod_owner{owner_kind="StatefulSet",owner_name="web",owner_is_controller="true"}': 1,
		kube_pod_created: newYear,
		kube_pod_start_time: newYear + 1,
		'kube_pod_status_phase{phase="Running"}': 1,
		'kube_pod_status_phase{phase="Pending"}': 0,
		'kube_pod_status_qos_class{qos_class="Burstable"}': 1,
		'kube_pod_status_ready{condition="true"}': 0,
		'kube_pod_status_ready{condition="false"}': 1,
		'kube_pod_status_ready{condition="unknown"}': 0,
		kube_pod_status_scheduled_time: newYear + 3,
		'kube_pod_nodeselectors{nodeselector_example_com_disk_type="ssd"}': 1,
		'kube_pod_tolerations{key="a",operator="Exists",value="",effect="NoExecute",toleration_seconds="300"}': 1,
		'kube_pod_spec_volumes_persistentvolumeclaims_info{volume="data",persistentvolumeclaim="data-web-0",ephemeral="false"}': 1,
		'kube_pod_container_info{container="web",image_spec="nginx",image="nginx",image_id="id",container_id="c://1"}': 1,
		'kube_pod_container_status_waiting{container="web"}': 1,
		'kube_pod_container_status_running{container="web"}': 0,
		'kube_pod_container_status_waiting_reason{container="web",reason="CrashLoopBackOff"}': 1,
		'kube_pod_container_status_last_terminated_reason{container="web",reason="Error"}': 1,
		'kube_pod_container_status_last_terminated_exitcode{container="web"}': 2,
		'kube_pod_container_status_last_terminated_timestamp{container="web"}': newYear + 60,
		'kube_pod_container_status_restarts_total{container="web"}': 4,
		'kube_pod_container_resource_requests{container="web",node="node-1",resource="cpu",unit="core"}': 0.25,
		'kube_pod_container_resource_requests{container="web",node="node-1",resource="memory",unit="byte"}':
			64 * 1024 * 1024,
		'kube_pod_container_resource_limits{container="web",node="node-1",resource="example_com_gpu",unit="integer"}': 2,
	});
	expect(Object.keys(found).some((series) => series.startsWith("kube_pod_init_container"))).toBe(false);
	expect(Object.keys(found).some((series) => series.startsWith("kube_pod_status_ready_time"))).toBe(false);
	const texts = [...kindText(podFamilies, [pod as Pod])].join("");
	expect(texts).toContain("# TYPE kube_pod_container_status_restarts_total counter\n");
	expect(texts).toContain("# TYPE kube_pod_status_phase gauge\n");
});

test("Jobs have their results, and CronJobs their next time", () => {
	const job: Partial<Job> = {
		metadata: metadata("once"),
		spec: { template: { spec: { containers: [] } }, parallelism: 1, completions: 3 },
		status: {
			failed: 2,
			startTime: "2026-01-01T00:00:05Z",
			conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }],
		},
	};
	expect(told(jobFamilies, job)).toMatchObject({
		kube_job_info: 1,
		'kube_job_owner{owner_kind="",owner_name="",owner_is_controller=""}': 1,
		kube_job_spec_completions: 3,
		kube_job_status_active: 0,
		'kube_job_status_failed{reason="BackoffLimitExceeded"}': 1,
		'kube_job_status_failed{reason="DeadlineExceeded"}': 0,
		kube_job_status_start_time: newYear + 5,
		'kube_job_failed{condition="true"}': 1,
		'kube_job_failed{condition="false"}': 0,
	});
	const nightly = (schedule: string, more: Partial<CronJob["spec"]> = {}): Partial<CronJob> => ({
		metadata: metadata("nightly"),
		spec: { schedule, jobTemplate: { spec: { template: { spec: { containers: [] } } } }, ...more } as CronJob["spec"],
		status: { lastScheduleTime: "2026-01-01T02:00:00Z" },
	});
	expect(told(cronJobFamilies, nightly("0 2 * * *"))).toMatchObject({
		kube_cronjob_next_schedule_time: newYear + 26 * 3600,
		kube_cronjob_spec_suspend: 0,
		kube_cronjob_metadata_resource_version: 7,
	});
	expect(told(cronJobFamilies, nightly("0 2 * * *", { timeZone: "Europe/Berlin" }))).toMatchObject({
		kube_cronjob_next_schedule_time: newYear + 25 * 3600,
	});
	expect(told(cronJobFamilies, nightly("0 2 * * *", { suspend: true }))).not.toHaveProperty(
		"kube_cronjob_next_schedule_time",
	);
	expect(told(cronJobFamilies, nightly("62 2 * * *"))).toMatchObject({ kube_cronjob_schedule_invalid: 1 });
});

test("sets, nodes and claims", () => {
	const set: Partial<StatefulSet> = {
		metadata: metadata("db", { generation: 3 }),
		spec: { replicas: 3, serviceName: "db" } as StatefulSet["spec"],
		status: { replicas: 2, readyReplicas: 1, currentRevision: "db-1", updateRevision: "db-2", observedGeneration: 2 },
	};
	expect(told(statefulSetFamilies, set)).toMatchObject({
		kube_statefulset_replicas: 3,
		kube_statefulset_status_replicas: 2,
		kube_statefulset_status_replicas_ready: 1,
		kube_statefulset_status_replicas_updated: 0,
		'kube_statefulset_status_current_revision{revision="db-1"}': 1,
		kube_statefulset_metadata_generation: 3,
		kube_statefulset_status_observed_generation: 2,
	});
	const node: Partial<Node> = {
		metadata: metadata("node-1", { labels: { "node-role.kubernetes.io/control-plane": "" } }),
		spec: { taints: [{ key: "a", effect: "NoSchedule" }] },
		status: { capacity: { cpu: "2", memory: "1Gi", pods: "110" }, conditions: [{ type: "Ready", status: "Unknown" }] },
	};
	expect(told(nodeFamilies, node)).toMatchObject({
		'kube_node_role{role="control-plane"}': 1,
		'kube_node_spec_taint{key="a",value="",effect="NoSchedule"}': 1,
		'kube_node_status_capacity{resource="pods",unit="integer"}': 110,
		'kube_node_status_condition{condition="Ready",status="unknown"}': 1,
		'kube_node_status_condition{condition="Ready",status="true"}': 0,
	});
	const claim: Partial<PersistentVolumeClaim> = {
		metadata: metadata("data"),
		spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "standard" },
		status: { phase: "Bound" },
	};
	expect(told(claimFamilies, claim)).toMatchObject({
		'kube_persistentvolumeclaim_info{storageclass="standard",volumename="",volumemode=""}': 1,
		'kube_persistentvolumeclaim_status_phase{phase="Bound"}': 1,
		kube_persistentvolumeclaim_resource_requests_storage_bytes: 1024 ** 3,
	});
});

test("network policies, zones of endpoints and tolerances of autoscalers", () => {
	const policy = { metadata: metadata("deny"), spec: { podSelector: {}, ingress: [{}, {}] } };
	expect(told(networkPolicyFamilies, policy)).toEqual({
		kube_networkpolicy_created: newYear,
		kube_networkpolicy_spec_ingress_rules: 2,
		kube_networkpolicy_spec_egress_rules: 0,
	});
	const slice = {
		metadata: metadata("web-1"),
		addressType: "IPv4",
		endpoints: [{ addresses: ["10.0.0.1"], hints: { forZones: [{ name: "a" }, { name: "b" }] } }],
	};
	expect(told(endpointSliceFamilies, slice)).toMatchObject({
		'kube_endpointslice_endpoints_hints{address="10.0.0.1",for_zone="a"}': 1,
		'kube_endpointslice_endpoints_hints{address="10.0.0.1",for_zone="b"}': 1,
	});
	const autoscaler = {
		metadata: metadata("web"),
		spec: { scaleTargetRef: {}, behavior: { scaleUp: { tolerance: "50m" }, scaleDown: {} } },
	};
	const found = told(autoscalerFamilies, autoscaler);
	expect(found).toMatchObject({ kube_horizontalpodautoscaler_spec_behavior_scale_up_tolerance: 0.05 });
	expect(found).not.toHaveProperty("kube_horizontalpodautoscaler_spec_behavior_scale_down_tolerance");
});

test("names of families are unique, and an object of every kind has series", () => {
	const names = workloadFamilies.flatMap(({ families }) => families.map(({ name }) => name));
	expect(new Set(names).size).toBe(names.length);
	for (const name of names) expect(name).toMatch(/^kube_[a-z_]+$/);
	// An object without status and most fields: no family may fail on it.
	for (const families of workloadFamilies)
		told(families, { metadata: metadata("bare"), spec: { containers: [], source: {}, scaleTargetRef: {} } });
});

test("a scrape needs permission, contains all objects, and few run at the same time", async () => {
	const api = await testApi({ roles: "bootstrap" });
	const monitor = { name: "prometheus", groups: ["system:monitoring", "system:authenticated"] };
	await api.ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "one" }, data: {} });
	const scrape = (name = monitor.name) =>
		api.ask("GET", "/metrics/workloads", undefined, { user: { ...monitor, name } });
	const text = await read((await scrape()).response);
	expect(text).toContain('\nkube_configmap_info{namespace="default",configmap="one"} 1\n');
	expect(text).toContain('\nkube_namespace_status_phase{namespace="default",phase="Active"} 1\n');
	expect(await read((await scrape()).response)).toBe(text);
	const ann = { name: "ann", groups: ["system:authenticated"] };
	expect((await api.ask("GET", "/metrics/workloads", undefined, { user: ann })).status).toBe(403);
	const four = (name: string) => Promise.all(Array.from({ length: 4 }, () => scrape(name)));
	const waiting = await four("slow");
	expect((await scrape("slow")).status).toBe(429);
	waiting.push(...(await four("other")));
	expect((await scrape()).status).toBe(429);
	for (const { response } of waiting) await read(response);
	expect((await scrape()).status).toBe(200);
	await api.close();
});

test("other work runs during a scrape", async () => {
	const store = createMemoryStore();
	const objectCount = 2000;
	const puts = Array.from({ length: objectCount }, (_, index) => {
		const name = `c-${String(index).padStart(4, "0")}`;
		const value = Buffer.from(
			JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } }),
		);
		return { key: objectKey(configMaps, "default", name), value };
	});
	await store.commit({ compare: [], puts, deletes: [] });
	const api = await testApi({ store });
	const { response } = await api.ask("GET", "/metrics/workloads");
	let turns = 0;
	let isOver = false;
	const count = () => {
		turns++;
		if (!isOver) setImmediate(count);
	};
	setImmediate(count);
	const text = await read(response);
	isOver = true;
	expect(text.split("\n").filter((line) => line.startsWith("kube_configmap_info{"))).toHaveLength(objectCount);
	// While objects are parsed, and after each piece of text.
	expect(turns).toBeGreaterThan(objectCount / 256 + text.length / 2 ** 17);
	await api.close();
});

test("values of labels are escaped, as objects and as text", () => {
	const pod: Partial<Pod> = {
		metadata: metadata("web"),
		spec: { containers: [{ name: 'a"b', resources: { limits: { cpu: "1" } } }], nodeName: "n\\1" },
		status: { containerStatuses: [{ name: 'a"b', state: { waiting: { reason: "x\ny" } } } as never] },
	};
	expect(told(podFamilies, pod)).toMatchObject({
		'kube_pod_container_status_waiting_reason{container="a\\"b",reason="x\\ny"}': 1,
		'kube_pod_container_resource_limits{container="a\\"b",node="n\\\\1",resource="cpu",unit="core"}': 1,
	});
});

async function read(response: ApiResponse): Promise<string> {
	if (response.type !== "stream") throw new Error(`answered with a ${response.type}`);
	const parts: Uint8Array[] = [];
	for await (const part of response.body) parts.push(part);
	return Buffer.concat(parts).toString();
}
