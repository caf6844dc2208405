import { describe, expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isTrue, type Json, merge, type Namespace, strategic } from "./harness.ts";
import { jobOf } from "./objects.ts";

const forever = "sleep 1000000";
const path = (space: Namespace, name: string) => space.batch("jobs", name);
const podsOf = (space: Namespace, job: string): Promise<Json[]> => space.pods(`job-name=${job}`);
const running = (space: Namespace, job: string, count: number) =>
	eventually(async () => {
		const pods = (await podsOf(space, job)).filter((pod) => pod.status.phase === "Running");
		expect(pods).toHaveLength(count);
		return pods;
	});

async function succeeds(space: Namespace, job: Json, completions: number): Promise<Json> {
	await space.target.post(space.batch("jobs"), job);
	await space.until(path(space, job.metadata.name), isTrue("SuccessCriteriaMet"));
	const done = await space.until(path(space, job.metadata.name), isTrue("Complete"));
	expect(done.status.succeeded).toBe(completions);
	return done;
}

/** Fails once on each node it runs on, then succeeds: a file on the node remembers. */
async function onOneNode(space: Namespace): Promise<Json> {
	const { items } = await space.target.get("/api/v1/nodes");
	return {
		nodeName: items[0].metadata.name,
		volumes: [{ name: "data", hostPath: { path: `/tmp/${space.name}`, type: "DirectoryOrCreate" } }],
	};
}
const withData = (job: Json): Json => {
	job.spec.template.spec.containers[0].volumeMounts = [{ name: "data", mountPath: "/data" }];
	return job;
};
const failOnce = "if [ -f /data/foo ]; then exit 0; else touch /data/foo; exit 1; fi";

conformance("Job", "shared", (target) => {
	test.concurrent("runs to completion when all tasks succeed", async () => {
		await using space = await target().namespace("job-succeed");
		await succeeds(space, jobOf("all-succeed", "exit 0"), 4);
		const pods = await podsOf(space, "all-succeed");
		expect(pods.filter((pod) => pod.status.phase === "Succeeded")).toHaveLength(4);
	});

	test.concurrent("runs to completion when tasks fail at first and are restarted in place", async () => {
		await using space = await target().namespace("job-local");
		const job = withData(
			jobOf(
				"fail-once-local",
				"if [ -f /data/foo ]; then exit 0; else touch /data/foo; exit 1; fi",
				{},
				{ restartPolicy: "OnFailure", volumes: [{ name: "data", emptyDir: {} }] },
			),
		);
		await succeeds(space, job, 4);
		for (const pod of await podsOf(space, "fail-once-local")) {
			expect(pod.status.phase).toBe("Succeeded");
			expect(pod.status.containerStatuses[0].restartCount).toBe(1);
		}
	}, 60_000);

	test.concurrent("an Indexed job gives each pod its index, by annotation, label, variable and host name", async () => {
		await using space = await target().namespace("job-indexed");
		await succeeds(
			space,
			jobOf("indexed-job", 'test -n "$JOB_COMPLETION_INDEX"; hostname', { completionMode: "Indexed" }),
			4,
		);
		const pods = await podsOf(space, "indexed-job");
		const index = (pod: Json) => pod.metadata.annotations["batch.kubernetes.io/job-completion-index"];
		expect(pods.map(index).sort()).toEqual(["0", "1", "2", "3"]);
		for (const pod of pods) {
			expect(pod.spec.hostname).toBe(`indexed-job-${index(pod)}`);
			expect(pod.metadata.labels["batch.kubernetes.io/job-completion-index"]).toBe(index(pod));
			expect(pod.metadata.name).toMatch(new RegExp(`^indexed-job-${index(pod)}-`));
		}
		const done = await target().get(path(space, "indexed-job"));
		expect(done.status.completedIndexes).toBe("0-3");
	});

	test.concurrent("deletion takes the pods along", async () => {
		await using space = await target().namespace("job-delete");
		await target().post(space.batch("jobs"), jobOf("foo", forever));
		await running(space, "foo", 2);
		await target().delete(path(space, "foo"), { propagationPolicy: "Background" });
		await space.gone(path(space, "foo"));
		await eventually(async () => expect(await space.pods()).toEqual([]));
	});

	test.concurrent("adopts an orphaned pod, and releases one without its labels", async () => {
		await using space = await target().namespace("job-adopt");
		const job = await target().post(space.batch("jobs"), jobOf("adopt-release", forever));
		const [pod] = await running(space, "adopt-release", 2);
		const pods = space.core("pods", pod.metadata.name);
		await target().update(pods, (object) => delete object.metadata.ownerReferences);
		const owner = (object: Json) => object.metadata.ownerReferences?.find((reference: Json) => reference.controller);
		const adopted = await space.until(pods, (object) => owner(object) !== undefined);
		expect(owner(adopted)).toMatchObject({ kind: "Job", name: "adopt-release", uid: job.metadata.uid });
		await target().update(pods, (object) => delete object.metadata.labels);
		await space.until(pods, (object) => owner(object) === undefined);
	});

	test.concurrent("status takes patches with annotations, updates, and is read", async () => {
		await using space = await target().namespace("job-status");
		const job = await target().post(space.batch("jobs"), jobOf("status", forever));
		await running(space, "status", 2);
		const time = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
		const type = "CustomConditionType";
		const first = time();
		const patched = await target().patch(`${path(space, "status")}/status`, merge, {
			metadata: { annotations: { patchedstatus: "true" } },
			// A typed client's zero values come along.
			status: {
				conditions: [{ type, status: "True", lastProbeTime: null, lastTransitionTime: first }],
				uncountedTerminatedPods: undefined,
			},
		});
		expect(condition(patched, type)).toMatchObject({ lastTransitionTime: first });
		expect(patched.metadata.annotations).toMatchObject({ patchedstatus: "true" });
		const second = time();
		const updated = await target().update(
			path(space, "status"),
			(object) => {
				condition(object, type).lastTransitionTime = second;
			},
			"/status",
		);
		expect(condition(updated, type)).toMatchObject({ lastTransitionTime: second });
		expect((await target().get(`${path(space, "status")}/status`)).metadata.uid).toBe(job.metadata.uid);
	});

	test.concurrent("the lifecycle of a job that starts suspended", async () => {
		await using space = await target().namespace("job-life");
		const { metadata } = await target().get(space.batch("jobs"));
		const job = jobOf("e2e-life", "exit 0", { suspend: true });
		job.metadata.labels = { "e2e-job-label": space.name };
		await target().post(space.batch("jobs"), job);
		await target().patch(path(space, "e2e-life"), strategic, { metadata: { labels: { "e2e-life": "patched" } } });
		const events = `${space.batch("jobs")}?labelSelector=e2e-job-label%3D${space.name}`;
		await target().watch(
			events,
			metadata.resourceVersion,
			({ type, object }) => type === "MODIFIED" && object.metadata.labels["e2e-life"] === "patched",
		);
		await target().update(path(space, "e2e-life"), (object) => {
			object.spec.suspend = false;
			object.metadata.annotations = { ...object.metadata.annotations, updated: "true" };
		});
		await target().watch(
			events,
			metadata.resourceVersion,
			({ object }) => object.metadata.annotations?.["updated"] === "true",
		);
		await space.until(path(space, "e2e-life"), isTrue("Complete"));
		expect((await target().get(`/apis/batch/v1/jobs?labelSelector=e2e-job-label%3D${space.name}`)).items).toHaveLength(
			1,
		);
		await target().delete(events, { propagationPolicy: "Background" });
		await target().watch(events, metadata.resourceVersion, ({ type }) => type === "DELETED");
		expect((await target().get(events)).items).toEqual([]);
	});

	describe.concurrent("pod failure policy", () => {
		const rule = (action: string, values: number[]) => ({ action, onExitCodes: { operator: "In", values } });

		test.concurrent("fails the job early on an exit code", async () => {
			await using space = await target().namespace("job-failjob");
			const job = withData(
				jobOf(
					"pod-failure-failjob",
					failOnce,
					{ podFailurePolicy: { rules: [rule("FailJob", [1])] } },
					await onOneNode(space),
				),
			);
			await target().post(space.batch("jobs"), job);
			await space.until(path(space, "pod-failure-failjob"), isTrue("FailureTarget", "PodFailurePolicy"));
			await space.until(path(space, "pod-failure-failjob"), isTrue("Failed", "PodFailurePolicy"));
		});

		test.concurrent("ignores a failure, which then does not count", async () => {
			await using space = await target().namespace("job-ignore");
			const job = withData(
				jobOf(
					"pod-failure-ignore",
					failOnce,
					{ backoffLimit: 0, podFailurePolicy: { rules: [rule("Ignore", [1])] } },
					await onOneNode(space),
				),
			);
			await succeeds(space, job, 4);
		}, 60_000);

		test.concurrent("ignores disruptions: each index is evicted once and then succeeds", async () => {
			await using space = await target().namespace("job-evicted");
			const command =
				"if [ -f /data/mark-$JOB_COMPLETION_INDEX ]; then exit 0; fi; touch /data/mark-$JOB_COMPLETION_INDEX; sleep 1000000";
			const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }];
			const job = withData(
				jobOf(
					"evicted",
					command,
					{ completions: 2, backoffLimit: 0, completionMode: "Indexed", podFailurePolicy: { rules } },
					await onOneNode(space),
				),
			);
			await target().post(space.batch("jobs"), job);
			for (const { metadata } of await running(space, "evicted", 2)) {
				await target().post(`${space.core("pods", metadata.name)}/eviction`, {
					apiVersion: "policy/v1",
					kind: "Eviction",
					metadata: { name: metadata.name, namespace: space.name },
				});
				await space.gone(space.core("pods", metadata.name));
			}
			await space.until(path(space, "evicted"), isTrue("Complete"), 60_000);
		}, 90_000);
	});

	test.concurrent("is suspended with its pods, and resumes", async () => {
		await using space = await target().namespace("job-suspend");
		await target().post(space.batch("jobs"), jobOf("pausing", forever));
		await running(space, "pausing", 2);
		await target().patch(path(space, "pausing"), strategic, { spec: { suspend: true } });
		await space.until(path(space, "pausing"), isTrue("Suspended", "JobSuspended"));
		await eventually(async () => expect(await podsOf(space, "pausing")).toEqual([]));
		await target().patch(path(space, "pausing"), strategic, { spec: { suspend: false } });
		await running(space, "pausing", 2);
		expect(condition(await target().get(path(space, "pausing")), "Suspended")).toMatchObject({
			status: "False",
			reason: "JobResumed",
		});
	});

	test.concurrent("fails beyond its backoff limit with as many pods as that", async () => {
		await using space = await target().namespace("job-backoff");
		await target().post(
			space.batch("jobs"),
			jobOf("backofflimit", "exit 1", { parallelism: 1, completions: 1, backoffLimit: 1 }),
		);
		await space.until(path(space, "backofflimit"), isTrue("FailureTarget", "BackoffLimitExceeded"));
		await space.until(path(space, "backofflimit"), isTrue("Failed", "BackoffLimitExceeded"), 60_000);
		const pods = await podsOf(space, "backofflimit");
		expect(pods.map((pod) => pod.status.phase)).toEqual(["Failed", "Failed"]);
	}, 90_000);

	test.concurrent("fails when its deadline passes", async () => {
		await using space = await target().namespace("job-deadline");
		await target().post(space.batch("jobs"), jobOf("exceed-active-deadline", forever, { activeDeadlineSeconds: 1 }));
		await space.until(path(space, "exceed-active-deadline"), isTrue("FailureTarget", "DeadlineExceeded"));
		await space.until(path(space, "exceed-active-deadline"), isTrue("Failed", "DeadlineExceeded"));
		await eventually(async () => expect(await podsOf(space, "exceed-active-deadline")).toEqual([]));
	});

	test.concurrent("succeeds early by its success policy", async () => {
		await using space = await target().namespace("job-success");
		const command = 'if [ "$JOB_COMPLETION_INDEX" = 0 ]; then exit 0; else sleep 1000000; fi';
		await target().post(
			space.batch("jobs"),
			jobOf("rule", command, {
				completionMode: "Indexed",
				parallelism: 2,
				completions: 5,
				successPolicy: { rules: [{ succeededIndexes: "0" }] },
			}),
		);
		await space.until(path(space, "rule"), isTrue("SuccessCriteriaMet", "SuccessPolicy"));
		const done = await space.until(path(space, "rule"), isTrue("Complete", "SuccessPolicy"));
		expect(done.status.completedIndexes).toBe("0");
	});

	test.concurrent("counts failures by index and ends with those indexes failed", async () => {
		await using space = await target().namespace("job-per-index");
		const command = 'if [ "$JOB_COMPLETION_INDEX" = 1 ]; then exit 1; fi';
		await target().post(
			space.batch("jobs"),
			jobOf("per-index", command, {
				completionMode: "Indexed",
				completions: 3,
				parallelism: 3,
				backoffLimit: undefined,
				backoffLimitPerIndex: 0,
			}),
		);
		const failed = await space.until(path(space, "per-index"), isTrue("Failed", "FailedIndexes"));
		expect(failed.status).toMatchObject({ failedIndexes: "1", completedIndexes: "0,2" });
	});

	test.concurrent("is deleted when its time to live after its end has passed", async () => {
		await using space = await target().namespace("job-ttl");
		await target().post(space.batch("jobs"), jobOf("rand-non-local", "exit 0", { ttlSecondsAfterFinished: 2 }));
		await space.until(path(space, "rand-non-local"), isTrue("Complete"));
		await space.gone(path(space, "rand-non-local"));
		await eventually(async () => expect(await podsOf(space, "rand-non-local")).toEqual([]));
	});
});
