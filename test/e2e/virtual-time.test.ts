import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, TestCluster } from "./cluster.ts";

let cluster: TestCluster;

beforeAll(async () => {
	cluster = await TestCluster.start("--runtime", "simulated", "--clock", "virtual", "--nodes", "2");
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const cronJob = (name: string, schedule: string, annotations: Record<string, string>, jobSpec: object = {}) =>
	JSON.stringify({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name },
		spec: {
			schedule,
			timeZone: "Etc/UTC",
			jobTemplate: {
				spec: {
					...jobSpec,
					template: {
						metadata: { annotations },
						spec: { restartPolicy: "Never", containers: [{ name: "main", image: "work" }] },
					},
				},
			},
		},
	});

interface Job {
	metadata: { name: string; creationTimestamp: string };
	status: {
		startTime?: string;
		completionTime?: string;
		conditions?: { type: string; lastTransitionTime: string; reason?: string }[];
	};
}

async function jobs(selector: string): Promise<Job[]> {
	const { items } = JSON.parse(await cluster.kubectl("get", "jobs", "-o", "json")) as { items: Job[] };
	return items.filter((job) => job.metadata.name.startsWith(selector));
}

const now = async () => Date.parse((await cluster.coxOk("clock", "show")).split(" ")[0] ?? "");

test("a nightly CronJob is seen by kubectl get jobs -w to run and complete when the clock jumps 26 hours", async () => {
	await cluster.kubectlInput(
		cronJob("nightly", "0 2 * * *", { "simulate.coxswain.io/duration": "10m" }),
		"apply",
		"-f",
		"-",
	);
	const watch = cluster.kubectlRunning(["get", "jobs", "-w"]);
	try {
		const beforeMs = await now();
		await cluster.coxOk("clock", "jump", "26h");
		expect((await now()) - beforeMs).toBeGreaterThanOrEqual(26 * 3_600_000);
		await eventually(async () => expect(watch.output()).toMatch(/nightly-\d+ +Complete +1\/1 +10m/));
		// It was seen to run before it was seen to be complete.
		expect(watch.output().search(/nightly-\d+ +Running +0\/1/)).toBeLessThan(
			watch.output().search(/nightly-\d+ +Complete/),
		);
	} finally {
		await watch.stop();
	}
	const found = await jobs("nightly");
	// Ten minutes of the day, the last of them still runs after the jump.
	const complete = found.filter(({ status }) => status.completionTime !== undefined);
	expect(complete.length).toBeGreaterThanOrEqual(1);
	for (const job of found) expect(job.metadata.creationTimestamp).toMatch(/T02:00:00Z$/);
	for (const job of complete) expect(job.status.completionTime).toMatch(/T02:10:\d\dZ$/);
	expect(await cluster.coxOk("runs", "nightly", "--since", "24h")).toMatch(/nightly +Succeeded +\d+[hm]\S* +10m/);
});

test("a failing Job backs off 10, 20, 40 seconds before its retries, then runs out of them", async () => {
	await cluster.coxOk("clock", "stop");
	await cluster.kubectlInput(
		cronJob(
			"failing",
			"0 * * * *",
			{ "simulate.coxswain.io/duration": "1s", "simulate.coxswain.io/exit-code": "3" },
			{
				backoffLimit: 2,
			},
		),
		"apply",
		"-f",
		"-",
	);
	await cluster.coxOk("clock", "step", "61m");
	const [job] = await jobs("failing");
	expect(job?.status.conditions?.find(({ type }) => type === "Failed")?.reason).toBe("BackoffLimitExceeded");
	const { items } = JSON.parse(
		await cluster.kubectl("get", "pods", "-l", `job-name=${job?.metadata.name}`, "-o", "json"),
	);
	const created = items
		.map((pod: { metadata: { creationTimestamp: string } }) => Date.parse(pod.metadata.creationTimestamp) / 1000)
		.sort((a: number, b: number) => a - b);
	expect(created).toHaveLength(3);
	expect(created[1] - created[0]).toBeGreaterThanOrEqual(10);
	expect(created[1] - created[0]).toBeLessThan(20);
	expect(created[2] - created[1]).toBeGreaterThanOrEqual(20);
	expect(created[2] - created[1]).toBeLessThan(35);
	await cluster.kubectl("delete", "cronjob", "failing");
});

test("deadlines and times to live are kept on the way", async () => {
	await cluster.kubectlInput(
		cronJob(
			"late",
			"0 * * * *",
			{ "simulate.coxswain.io/duration": "2h" },
			{
				activeDeadlineSeconds: 300,
				ttlSecondsAfterFinished: 600,
			},
		),
		"apply",
		"-f",
		"-",
	);
	// To one minute past the next full hour, whatever the time is.
	const toNextHourS = 3600 - (Math.floor((await now()) / 1000) % 3600);
	await cluster.coxOk("clock", "step", `${toNextHourS + 60}s`);
	expect((await jobs("late"))[0]?.status.conditions).toBeUndefined();
	await cluster.coxOk("clock", "step", "5m");
	const [job] = await jobs("late");
	expect(job?.status.conditions?.find(({ type }) => type === "Failed")?.reason).toBe("DeadlineExceeded");
	await cluster.coxOk("clock", "step", "11m");
	expect(await jobs("late")).toEqual([]);
	await cluster.kubectl("delete", "cronjob", "late");
});

test("ages in kubectl's lists follow the cluster's clock", async () => {
	await cluster.kubectl("create", "configmap", "aged");
	await cluster.coxOk("clock", "step", "7d");
	expect(await cluster.kubectl("get", "configmap", "aged")).toMatch(/aged +0 +7d/);
});

test("time that was stopped or sped up goes on as it was after cox down and cox up", async () => {
	await cluster.coxOk("clock", "stop");
	const stoodMs = await now();
	await cluster.coxOk("down");
	await cluster.coxOk("up");
	const show = await cluster.coxOk("clock", "show");
	expect(show).toContain("standing");
	const passedMs = (await now()) - stoodMs;
	expect(passedMs).toBeGreaterThanOrEqual(0);
	expect(passedMs).toBeLessThan(60_000);
	expect(await cluster.coxOk("clock", "run", "x60")).toContain("running at ×60");
	expect(await cluster.coxOk("clock", "resume")).toContain("running at ×1");
	await cluster.kubectl("run", "alive", "--image", "nginx");
	await cluster.kubectl("wait", "--for=condition=Ready", "pod/alive", "--timeout=30s");
});
