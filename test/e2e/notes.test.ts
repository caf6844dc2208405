/**
 * The course notes that the project was founded on, typed in as they stand: every manifest in notes/, every command.
 * What the notes take for granted (a Secret, a namespace, a node label) is made first, as a student would.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, kubectls, type Output, succeeded, TestCluster } from "./cluster.ts";

const notes = (file: string) => join(import.meta.dirname, "notes", file);

describe.each(kubectls)("the course notes with the kubectl $name", ({ path }) => {
	let cluster: TestCluster;
	let tried: (...args: string[]) => Promise<Output>;

	/** `k("get pods")`: output of a command that must succeed. Words with spaces go in an array. */
	async function k(words: string, ...more: string[]): Promise<string> {
		const args = [...words.split(" "), ...more];
		return succeeded(`kubectl ${args.join(" ")}`, await tried(...args));
	}

	beforeAll(async () => {
		cluster = await TestCluster.start("--nodes", "3");
		tried = cluster.kubectlWith(path);
	});
	afterAll(() => cluster?.[Symbol.asyncDispose]());

	test("a StatefulSet has ordered names, a claim a pod, DNS names, and scales", async () => {
		await k("create secret generic mysql-secret --from-literal=password=secret");
		await k("apply -f", notes("headless-service.yaml"));
		await k("apply -f", notes("statefulset.yaml"));
		await k("rollout status statefulset/mysql --timeout=60s");
		expect(await k("get statefulsets")).toMatch(/^mysql +3\/3/m);
		expect(names(await k("get pods -l app=mysql"))).toEqual(["mysql-0", "mysql-1", "mysql-2"]);
		expect(await k("describe statefulset mysql")).toMatch(
			/SuccessfulCreate .*create Pod mysql-0 in StatefulSet mysql successful/,
		);
		await k("scale statefulset mysql --replicas=5");
		await k("rollout status statefulset/mysql --timeout=60s");
		expect(names(await k("get pvc"))).toEqual([0, 1, 2, 3, 4].map((ordinal) => `data-mysql-${ordinal}`));
		const lookup = await k("exec mysql-0 -- nslookup mysql-2.mysql.default.svc.cluster.local");
		expect(lookup).toContain(await k("get pod mysql-2 -o jsonpath={.status.podIP}"));
		expect(await k("exec mysql-0 -- /bin/bash -c", "echo from $(hostname)")).toBe("from mysql-0\n");

		await k("delete statefulset mysql");
		// A database that is told to stop while it starts may not hear it: then its grace of 30 s runs out.
		await eventually(async () => expect(names(await k("get pods -l app=mysql"))).toEqual([]), 60_000);
		expect(names(await k("get pvc"))).toHaveLength(5);
		await k("apply -f", notes("statefulset.yaml"));
		await k("rollout status statefulset/mysql --timeout=60s");
		await k("delete statefulset mysql --cascade=orphan");
		expect(names(await k("get pods -l app=mysql"))).toHaveLength(3);
		await k("delete pods,pvc -l app=mysql");
		// Here, too, its grace may run out.
	}, 120_000);

	test("a DaemonSet has a pod on each node, and changes its image", async () => {
		await k("create namespace logging");
		await k("apply -f", notes("daemonset.yaml"));
		await k("-n logging rollout status daemonset/fluentd --timeout=60s");
		expect(await k("get daemonsets -n logging")).toMatch(/^fluentd +3 +3 +3 +3 +3/m);
		const nodes = await k("get pods -n logging -l app=fluentd -o jsonpath={.items[*].spec.nodeName}");
		expect(new Set(nodes.split(" ")).size).toBe(3);
		expect(await k("describe daemonset fluentd -n logging")).toMatch(/Desired Number of Nodes Scheduled: 3/);
		await k("set image daemonset/fluentd fluentd=fluent/fluentd:v1.2 -n logging");
		await k("-n logging rollout status daemonset/fluentd --timeout=60s");
		await k("-n logging rollout undo daemonset/fluentd");
		await k("-n logging rollout status daemonset/fluentd --timeout=60s");
		const images = await k("-n logging get pods -o jsonpath={.items[*].spec.containers[0].image}");
		expect(new Set(images.split(" "))).toEqual(new Set(["fluent/fluentd:latest"]));
		await k("delete daemonset fluentd -n logging");
	});

	test("a DaemonSet follows node labels, and its tolerations let it onto tainted nodes", async () => {
		const [first = "", second = ""] = names(await k("get nodes"));
		await k("apply -f", notes("daemonset-node-selector.yaml"));
		await eventually(async () => expect(await k("get ds gpu-monitor")).toMatch(/^gpu-monitor +0 +0/m));
		await k(`label node ${first} gpu=true`);
		await k("rollout status daemonset/gpu-monitor --timeout=60s");
		expect(await k("get pods -l app=gpu-monitor -o jsonpath={.items[*].spec.nodeName}")).toBe(first);
		await k(`label node ${first} gpu-`);
		await eventually(async () => expect(names(await k("get pods -l app=gpu-monitor"))).toEqual([]));
		await k("delete -f", notes("daemonset-node-selector.yaml"));

		await k(`taint node ${second} node-role.kubernetes.io/master:NoSchedule`);
		await k("apply -f", notes("daemonset-tolerations.yaml"));
		await k("rollout status daemonset/system-monitor --timeout=60s");
		expect(await k("get ds system-monitor")).toMatch(/^system-monitor +3 +3 +3/m);
		await k(`taint node ${second} node-role.kubernetes.io/master-`);
		await k("delete -f", notes("daemonset-tolerations.yaml"));
	});

	test("a Job runs to completion, with logs and wait", async () => {
		await k("apply -f", notes("job.yaml"));
		await k("wait --for=condition=complete job/backup-db --timeout=300s");
		expect(await k("get jobs")).toMatch(/^backup-db .*1\/1/m);
		expect(await k("describe job backup-db")).toMatch(/Completed .*Job completed/);
		expect(names(await k("get pods -l job-name=backup-db"))).toHaveLength(1);
		expect(await k("logs -l job-name=backup-db")).toContain("mydb");
		await k("delete job backup-db --cascade=background");
		await eventually(async () => expect(names(await k("get pods -l job-name=backup-db"))).toEqual([]));
	});

	test("a Job with parallelism finishes all its pods", async () => {
		await k("apply -f", notes("job-parallel.yaml"));
		await k("wait --for=condition=complete job/image-process --timeout=300s");
		expect(await k("get jobs")).toMatch(/^image-process .*10\/10/m);
		await k("delete job image-process");
	});

	test("the counter Job counts", async () => {
		await k("apply -f", notes("counter-job.yaml"));
		await k("wait --for=condition=complete job/counter --timeout=60s");
		expect(await k("logs job/counter")).toBe("1\n2\n3\n");
		await k("delete job counter");
	});

	test("a CronJob is created, fired by hand, suspended and resumed", async () => {
		await k("apply -f", notes("cronjob.yaml"));
		expect(await k("get cronjobs")).toMatch(/^daily-backup +0 2 \* \* \* .*False +0 +<none>/m);
		expect(await k("describe cronjob daily-backup")).toMatch(/Schedule: +0 2 \* \* \*/);
		await k("create job --from=cronjob/daily-backup manual-backup-1");
		await k("wait --for=condition=complete job/manual-backup-1 --timeout=60s");
		expect(names(await k("get jobs -l cronjob=daily-backup"))).toEqual(["manual-backup-1"]);
		expect(await k("logs -l cronjob=daily-backup")).toContain("mydb");
		await k("patch cronjob daily-backup -p", '{"spec":{"suspend":true}}');
		expect(await k("get cronjob daily-backup -o jsonpath={.spec.suspend}")).toBe("true");
		await k("patch cronjob daily-backup -p", '{"spec":{"suspend":false}}');
		await k("delete cronjob daily-backup");
		await eventually(async () => expect(names(await k("get jobs"))).toEqual([]));
	});

	test("manifests of versions that Kubernetes has dropped run as written", async () => {
		await k("apply -f", notes("hourly-date-cronjob.yaml"));
		expect(await k("get cronjobs")).toMatch(/^hourly-date +0 \* \* \* \*/m);
		await k("create job --from=cronjob/hourly-date date-now");
		await k("wait --for=condition=complete job/date-now --timeout=60s");
		expect(await k("logs job/date-now")).toMatch(/\d\d:\d\d:\d\d/);
		await k("delete cronjob hourly-date");

		await k("apply -f", notes("fluentd-daemonset.yaml"));
		await eventually(async () => {
			const description = await k("describe ds/fluentd");
			expect(description).toMatch(/Selector: +app=fluentd/);
			expect(description).toMatch(/Desired Number of Nodes Scheduled: 3/);
			expect(description).toMatch(/Pods Status: +3 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed/);
		});
		await k("delete ds fluentd");
	});

	test("a Deployment's init container waits for its backend", async () => {
		await k("apply -f", notes("nginx-init-container.yaml"));
		await eventually(async () => {
			expect(await k("get pods -l app=nginx")).toMatch(/Init:0\/1/);
			expect(await k("logs -l app=nginx -c checkbackend")).toContain("Waiting for backend to come up");
		});
		// The notes are of a time when kubectl run made Deployments: the namespace asks for that.
		await k("label namespace default coxswain.io/kubectl-run=deployment");
		await k("run backend --image=mhausenblas/simpleservice:0.5.0");
		await k("expose deployment backend --port=80 --target-port=9876");
		await k("rollout status deployment/nginx --timeout=60s");
		expect(await k("logs -l app=nginx -c checkbackend --tail=1")).toBe("Backend is up, ready to launch web server\n");
		await k("delete deployment/nginx deployment/backend service/backend");
	});
});

/** First column of `kubectl get`, without the heading. */
function names(text: string): string[] {
	return text
		.trimEnd()
		.split("\n")
		.slice(1)
		.map((line) => line.split(/\s+/)[0] ?? "");
}
