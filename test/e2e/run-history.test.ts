/** Runs of real Jobs are kept when Jobs, pods and the server itself go, and come back with a snapshot. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Run } from "../../src/kinds/history/types.ts";
import { eventually, kubectlPath, run, TestCluster } from "./cluster.ts";
import { kill, Traces } from "./traces.ts";

const job = (name: string, script: string, spec: object = {}, restartPolicy = "Never") => ({
	apiVersion: "batch/v1",
	kind: "Job",
	metadata: { name },
	spec: { ...spec, template: template(script, restartPolicy) },
});

const template = (script: string, restartPolicy = "Never") => ({
	spec: {
		restartPolicy,
		// A shell as process 1 does not mind SIGTERM.
		terminationGracePeriodSeconds: 1,
		containers: [
			{
				name: "main",
				image: "busybox",
				command: ["sh", "-c", script],
				volumeMounts: [{ name: "data", mountPath: "/data" }],
			},
		],
		volumes: [{ name: "data", emptyDir: {} }],
	},
});

const nightly = {
	apiVersion: "batch/v1",
	kind: "CronJob",
	metadata: { name: "nightly" },
	spec: {
		schedule: "0 0 1 1 *",
		successfulJobsHistoryLimit: 0,
		jobTemplate: { spec: { template: template("echo by night") } },
	},
};

const secondTime = "test -f /data/seen && echo again && exit 0; touch /data/seen; echo first; exit 7";

async function runsOf(cluster: TestCluster): Promise<Map<string, Run>> {
	const runs = JSON.parse(await cluster.coxOk("runs", "--json")) as Run[];
	return new Map(runs.map((one) => [one.spec.jobName ?? "", one]));
}

test("what Jobs did and wrote outlives Jobs, pods, the server and the machine", async () => {
	const file = join(tmpdir(), `cox-history-${process.pid}`);
	try {
		let before: Map<string, Run>;
		{
			await using cluster = await TestCluster.start();
			const apply = (...objects: object[]) =>
				cluster.kubectlInput(JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }), "apply", "-f", "-");
			await apply(
				nightly,
				job("retried", secondTime, {}, "OnFailure"),
				job("slow", "echo begun; sleep 2; echo ended"),
				job("doomed", "echo doomed; sleep 1000"),
			);
			await cluster.kubectl("create", "job", "by-hand", "--from=cronjob/nightly");
			await eventually(async () => expect(await cluster.kubectl("logs", "job/slow")).toBe("begun\n"));
			await eventually(async () => expect(await cluster.kubectl("logs", "job/doomed")).toBe("doomed\n"));
			// Ends, and is retried, while nobody is there to write it down.
			kill(new Traces(cluster.data).pids(/^server$/));
			const ttl = { ttlSecondsAfterFinished: 0, backoffLimit: 0 };
			await eventually(() => apply(job("ttl", "seq 1 100000; echo broken; exit 3", ttl)), 60_000);
			const complete = ["--for=condition=complete", "job/slow", "job/retried", "--timeout=5s"];
			await eventually(() => cluster.kubectl("wait", ...complete), 60_000);
			await cluster.kubectl("delete", "job", "retried", "doomed", "--grace-period=1");
			await eventually(async () =>
				expect((await cluster.kubectl("get", "jobs", "-o", "name")).trim()).toBe("job.batch/slow"),
			);
			before = await eventually(async () => {
				const runs = await runsOf(cluster);
				const results = Object.fromEntries([...runs].map(([name, { status }]) => [name, status.result]));
				expect(results).toEqual({
					retried: "Succeeded",
					ttl: "Failed",
					slow: "Succeeded",
					doomed: "Deleted",
					"by-hand": "Succeeded",
				});
				for (const [name, { status }] of runs) expect([name, status.logs]).toEqual([name, "Complete"]);
				expect(runs.get("doomed")?.status.pods?.map(({ phase }) => phase)).not.toContain("Running");
				return runs;
			});
			expect(before.get("retried")?.status).toMatchObject({
				attempts: 2,
				pods: [{ node: "node-1", containers: [{ attempts: [{ exitCode: 7 }, { exitCode: 0 }] }] }],
			});
			expect(before.get("ttl")?.status.reason).toBe("BackoffLimitExceeded");
			expect(await cluster.coxOk("logs", "job/retried")).toBe("again\n");
			expect(await cluster.coxOk("logs", "job/retried", "--previous")).toBe("first\n");
			expect(await cluster.coxOk("logs", "cronjob/nightly")).toBe("by night\n");
			expect(await cluster.coxOk("logs", "--run", "ttl", "--tail", "2")).toBe("100000\nbroken\n");
			expect(await cluster.coxOk("logs", "job/doomed", "-c", "main")).toBe("doomed\n");
			expect(await cluster.kubectl("logs", "-l", "job-name=slow")).toBe("begun\nended\n");
			expect(await cluster.coxOk("runs", "--failed", "--since", "24h")).toMatch(
				/ttl-\w+ .*BackoffLimitExceeded, exit code 3/,
			);

			const table = await cluster.kubectl("get", "runs", "-l", "cronjob=nightly");
			expect(table).toMatch(
				/^NAME +JOB +CRONJOB +RESULT +STARTED +DURATION +ATTEMPTS\nby-hand-\w+ +by-hand +nightly +Succeeded/,
			);
			expect(await cluster.kubectl("get", "runs", "--field-selector=status.result=Failed", "-o", "name")).toMatch(
				/^run\S+\/ttl-\w+\n$/,
			);
			expect(await cluster.kubectl("describe", "run", before.get("ttl")?.metadata.name ?? "")).toMatch(
				/Events:.*BackoffLimitExceeded.*ended with exit code 3/s,
			);
			expect(await cluster.kubectl("explain", "runs.status.result")).toContain("Skipped");
			const refused = await cluster.kubectlWith(kubectlPath)("delete", "runs", "--all");
			expect(refused.stderr).toContain("MethodNotAllowed");
			await mayRead(cluster, before.get("ttl")?.metadata.name ?? "");
			await cluster.coxOk("snapshot", "save", file);
		}
		await using cluster = TestCluster.empty("elsewhere");
		await cluster.coxOk("snapshot", "restore", file);
		await cluster.coxOk("up");
		expect(await runsOf(cluster)).toEqual(
			new Map(
				[...before].map(([name, one]) => [
					name,
					{ ...one, metadata: expect.objectContaining({ uid: one.metadata.uid }) },
				]),
			),
		);
		expect(await cluster.coxOk("logs", "job/retried")).toBe("again\n");
	} finally {
		rmSync(file, { force: true });
	}
}, 180_000);

/** Users who may see pods may see runs, and those who may read their logs may read those of runs. */
async function mayRead(cluster: TestCluster, name: string): Promise<void> {
	const kubeconfig = (await cluster.coxOk("kubeconfig", "--user", "ann")).trim();
	const path = `/apis/history.coxswain.io/v1/namespaces/default/runs/${name}/log?tailLines=1`;
	const ann = (...args: string[]) =>
		run(kubectlPath, args, { env: { ...cluster.environment, KUBECONFIG: kubeconfig } });
	expect((await ann("get", "runs")).stderr).toContain('cannot list resource "runs"');
	expect((await ann("get", "--raw", path)).stderr).toContain("forbidden");
	expect((await ann("create", "--raw", "/history/logs", "-f", "/dev/null")).code).toBe(1);
	await cluster.kubectl("create", "rolebinding", "ann", "--clusterrole=view", "--user=ann");
	expect((await ann("get", "runs")).stdout).toContain("nightly");
	expect((await ann("get", "--raw", path)).stdout).toBe("broken\n");
}
