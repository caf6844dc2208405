/** Alerts with Debian's Prometheus and Alertmanager: `npm run monitoring`. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, root, TestCluster } from "../e2e/cluster.ts";

const programs = join(root, ".cache/monitoring");
/** A reason to be skipped: 150 MB of programs are fetched for it. */
const skips = process.env["COX_MONITORING"] === undefined;
/** Of the alerts' own waiting, scraping and grouping, which take a quarter of an hour and more. */
const limitMs = 180_000;

let folder = "";
let cluster: TestCluster;

beforeAll(async () => {
	if (skips) return;
	// Pods see neither /tmp nor home directories, where a checkout may lie.
	folder = mkdtempSync("/var/tmp/cox-monitoring-");
	cpSync(programs, folder, { recursive: true });
	cluster = await TestCluster.start("--nodes=2");
	// Alertmanager looks for its templates where its package puts them.
	const templates = "/usr/share/prometheus/alertmanager";
	const start = `mkdir -p ${dirname(templates)} && cp -r ${folder}/templates ${templates} && exec ${folder}/alertmanager "$@"`;
	const images = {
		"prom/prometheus": { entrypoint: [`${folder}/prometheus`] },
		"prom/alertmanager": { entrypoint: ["/bin/sh", "-c", start, "alertmanager"] },
	};
	writeFileSync(join(cluster.data, "images.yaml"), JSON.stringify(images));
	const example = (name: string) => readFileSync(join(root, "examples/monitoring", name), "utf8");
	const manifests = [example("prometheus.yaml"), rulesInAHurry(example("rules.yaml")), example("alertmanager.yaml")];
	await cluster.kubectlInput(inAHurry(manifests.join("\n---\n")), "apply", "-f", "-");
	for (const workload of ["statefulset/prometheus", "deployment/alertmanager", "deployment/receiver"])
		await cluster.kubectl("-n", "monitoring", "rollout", "status", workload, "--timeout=120s");
}, 300_000);

afterAll(async () => {
	await cluster?.[Symbol.asyncDispose]();
	if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

function inAHurry(text: string): string {
	return text
		.replace(/(scrape|evaluation)_interval: 15s/g, "$1_interval: 1s")
		.replace("group_wait: 30s", "group_wait: 1s")
		.replace("group_interval: 5m", "group_interval: 1s");
}

/** The rules mean the same within seconds. */
function rulesInAHurry(text: string): string {
	return text
		.replace(/for: (15m|10m|1h)/g, "for: 2s")
		.replace(/\[(5m|10m)\]/g, "[5s]")
		.replace("> 43200", "> 3")
		.replace("> 3600", "> 3");
}

async function query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
	const path = "/api/v1/namespaces/monitoring/services/prometheus:web/proxy/api/v1/query";
	const text = await cluster.kubectl("get", "--raw", `${path}?query=${encodeURIComponent(expression)}`);
	// Prometheus' answer to a query for an instant.
	return (JSON.parse(text) as { data: { result: { metric: Record<string, string>; value: [number, string] }[] } }).data
		.result;
}

test.skipIf(skips)("Prometheus finds API server, agents, pods and kube-state-metrics, and all answer", async () => {
	const agents = ["cadvisor", "cadvisor", "kubelet", "kubelet"];
	await eventually(async () => {
		const up = (await query("up")).map(({ metric, value }) => `${metric["job"]} ${value[1]}`).sort();
		const server = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
		const wanted = [...agents, ...server, "kube-state-metrics", "pods", "pods"];
		expect(up).toEqual(wanted.map((job) => `${job} 1`).sort());
	}, limitMs);
	for (const expression of [
		'apiserver_request_total{job="kube-apiserver",resource="pods",verb="LIST"}',
		'workqueue_adds_total{job="kube-controller-manager",name="statefulset"}',
		'scheduler_schedule_attempts_total{job="kube-scheduler",result="scheduled"} > 0',
		'container_network_receive_bytes_total{job="cadvisor",namespace="monitoring"} > 0',
		"etcd_requests_total > 0",
		'kubelet_started_containers_total{container_type="container"} > 0',
		'container_memory_working_set_bytes{namespace="monitoring"} > 0',
		'kube_pod_status_phase{job="kube-state-metrics",namespace="monitoring",phase="Running"} == 1',
		"histogram_quantile(0.9, sum by (le) (rate(apiserver_request_duration_seconds_bucket[1m]))) >= 0",
	])
		await eventually(async () =>
			expect([expression, (await query(expression)).length > 0]).toEqual([expression, true]),
		);
});

const alerts = [
	"KubeCronJobRunning",
	"KubeDaemonSetNotScheduled",
	"KubeDaemonSetRolloutStuck",
	"KubeJobFailed",
	"KubeJobNotCompleted",
	"KubePodCrashLooping",
	"KubeStatefulSetReplicasMismatch",
];

test.skipIf(skips)(
	"each alert reaches the webhook when a workload breaks, and when it is mended",
	async () => {
		const told = async (status: string) => {
			const log = await cluster.kubectl("-n", "monitoring", "logs", "deployment/receiver");
			const found = new Set(log.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")));
			return alerts.filter((alert) => found.has(`${status} ${alert}`));
		};
		const broken = join(import.meta.dirname, "broken.yaml");
		await cluster.kubectl("apply", "-f", broken);
		await eventually(async () => expect(await told("firing")).toEqual(alerts), limitMs);
		await cluster.kubectl("delete", "-f", broken, "--wait=false", "--ignore-not-found");
		await eventually(async () => expect(await told("resolved")).toEqual(alerts), limitMs);
	},
	600_000,
);
