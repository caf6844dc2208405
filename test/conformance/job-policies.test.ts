/** Jobs that say when they have failed or succeeded, when pods are replaced, and who runs them. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isTrue, type Json, type Namespace, strategic } from "./harness.ts";
import { images, jobOf } from "./objects.ts";

const path = (space: Namespace, name: string) => space.batch("jobs", name);
const start = (space: Namespace, job: Json): Promise<Json> => space.target.post(space.batch("jobs"), job);
/** Fails where the index is odd. */
const odd = "if [ $(expr $JOB_COMPLETION_INDEX % 2) -ne 0 ]; then exit 1; else exit 0; fi";
const indexed = (name: string, command: string, spec: Json): Json =>
	jobOf(name, command, { completionMode: "Indexed", ...spec });
const perIndex = (name: string, command: string, spec: Json): Json =>
	indexed(name, command, { backoffLimit: undefined, ...spec });
const pausing = (name: string, spec: Json = {}): Json => {
	const job = jobOf(name, "", spec);
	job.spec.template.spec.containers[0] = { name: "c", image: images.pause };
	delete job.spec.template.spec.terminationGracePeriodSeconds;
	return job;
};
const ready = (space: Namespace, name: string, count: number) =>
	space.until(path(space, name), ({ status }) => status.ready === count, 60_000);
const ended = { ready: 0, terminating: 0, uncountedTerminatedPods: {} };

conformance("Job policies", "shared", (target) => {
	test.concurrent("succeeds by its policy: all indexes, chosen ones, as many as are asked for", async () => {
		await using space = await target().namespace("job-success");
		// A behaviour that upstream's tests misspell is the image's own: a shell with nothing to read.
		const all = indexed("all", "", { completions: 2, successPolicy: { rules: [{ succeededCount: 2 }] } });
		delete all.spec.template.spec.containers[0].command;
		const chosen = { completions: 5, successPolicy: { rules: [{ succeededIndexes: "0" }] } };
		const some = { completions: 5, backoffLimit: 2 ** 31 - 1, successPolicy: { rules: [{ succeededCount: 1 }] } };
		for (const [job, indexes, succeeded] of [
			[all, "0,1", 2],
			[indexed("chosen", odd, chosen), "0", 1],
			[indexed("some", odd, some), "0", 1],
		] as const) {
			const { name } = job.metadata;
			await start(space, job);
			await space.until(path(space, name), isTrue("SuccessCriteriaMet", "SuccessPolicy"));
			const { status } = await space.until(path(space, name), isTrue("Complete", "SuccessPolicy"));
			expect(status).toMatchObject({ ...ended, succeeded, completedIndexes: indexes });
			expect(status.active ?? 0).toBe(0);
		}
	}, 120_000);

	test.concurrent("each index fails on its own, and the job once all have ended", async () => {
		await using space = await target().namespace("job-per-index");
		await start(space, perIndex("odd", odd, { backoffLimitPerIndex: 1 }));
		await space.until(path(space, "odd"), isTrue("FailureTarget", "FailedIndexes"), 90_000);
		const { status } = await space.until(path(space, "odd"), isTrue("Failed", "FailedIndexes"));
		expect(status).toMatchObject({ failedIndexes: "1,3", completedIndexes: "0,2", failed: 4, succeeded: 2 });
	}, 120_000);

	test.concurrent("ends as soon as more indexes have failed than may", async () => {
		await using space = await target().namespace("job-max-failed");
		const spec = { parallelism: 1, backoffLimitPerIndex: 0, maxFailedIndexes: 0 };
		await start(space, perIndex("max", "exit 1", spec));
		const { status } = await space.until(path(space, "max"), isTrue("Failed", "MaxFailedIndexesExceeded"));
		expect(status).toMatchObject({ failedIndexes: "0", failed: 1 });
	});

	test.concurrent("pods say how often their index has failed before", async () => {
		await using space = await target().namespace("job-counts");
		await start(space, perIndex("counts", "exit 1", { completions: 2, backoffLimitPerIndex: 1 }));
		const { status } = await space.until(path(space, "counts"), isTrue("Failed"), 90_000);
		expect(status).toMatchObject({ failedIndexes: "0,1", failed: 4 });
		expect(status).not.toHaveProperty("completedIndexes");
		const pods = await space.pods("job-name=counts");
		const annotation = ({ metadata }: Json, name: string) => metadata.annotations[`batch.kubernetes.io/${name}`];
		const seen = pods.map((pod) => [
			annotation(pod, "job-completion-index"),
			annotation(pod, "job-index-failure-count"),
		]);
		expect(seen.map(String).sort()).toEqual(["0,0", "0,1", "1,0", "1,1"]);
	}, 120_000);

	test.concurrent("a rule gives an index up at once", async () => {
		await using space = await target().namespace("job-fail-index");
		const rules = [{ action: "FailIndex", onExitCodes: { operator: "In", values: [1] } }];
		await start(space, perIndex("rule", odd, { completions: 2, backoffLimitPerIndex: 1, podFailurePolicy: { rules } }));
		const { status } = await space.until(path(space, "rule"), isTrue("Failed", "FailedIndexes"));
		expect(status).toMatchObject({ failedIndexes: "1", completedIndexes: "0", failed: 1, succeeded: 1 });
	});

	test.concurrent("replaces a pod only once it has failed", async () => {
		await using space = await target().namespace("job-replace");
		const slow = "_term(){ sleep 5; exit 143; }; trap _term SIGTERM; while true; do sleep 1; done";
		const spec = { parallelism: 1, completions: 1, backoffLimit: 1, podReplacementPolicy: "Failed" };
		await start(space, jobOf("replace", slow, spec, { terminationGracePeriodSeconds: 30 }));
		await ready(space, "replace", 1);
		const [{ metadata }] = await space.pods("job-name=replace");
		await target().delete(space.core("pods", metadata.name), { gracePeriodSeconds: 30 });
		const counts = ({ status: { active = 0, failed = 0, terminating } }: Json) => [active, failed, terminating];
		await space.until(path(space, "replace"), (job) => String(counts(job)) === "0,0,1");
		await space.until(path(space, "replace"), (job) => String(counts(job)) === "1,1,0");
	}, 90_000);

	test.concurrent("says how many pods are ready, also after a suspension", async () => {
		await using space = await target().namespace("job-ready");
		await start(space, pausing("all-ready", { suspend: true }));
		await ready(space, "all-ready", 0);
		for (const [suspend, count] of [
			[false, 2],
			[true, 0],
		] as const) {
			await target().update(path(space, "all-ready"), ({ spec }) => Object.assign(spec, { suspend }));
			await ready(space, "all-ready", count);
		}
	}, 90_000);

	test.concurrent("a job of another controller is left alone", async () => {
		await using space = await target().namespace("job-managed");
		await start(space, jobOf("managed-by", "exit 0", { managedBy: "example.com/custom-job-controller" }));
		await start(space, jobOf("other", "exit 0"));
		await space.until(path(space, "other"), isTrue("Complete"));
		const { status } = await target().get(path(space, "managed-by"));
		expect(status).toEqual({});
		// Its controller tells of it as this one would.
		const failed = { conditions: [{ type: "Failed", status: "True" }], startTime: "2026-01-01T00:00:00Z" };
		const wrong = await target().send(
			"PATCH",
			`${path(space, "managed-by")}/status`,
			{ status: failed },
			{ "Content-Type": "application/merge-patch+json" },
		);
		expect(wrong).toMatchObject({ status: 422, body: { reason: "Invalid" } });
	});

	test.concurrent("what pods request may change while a job is suspended, first or again", async () => {
		await using space = await target().namespace("job-resources");
		const requests = async (name: string) => {
			const pods = (await space.pods(`job-name=${name}`)).filter((pod) => pod.metadata.deletionTimestamp === undefined);
			return pods.map((pod) => pod.spec.containers[0].resources.requests?.cpu);
		};
		const request = (name: string, cpu: string) =>
			target().update(path(space, name), ({ spec }) => {
				spec.template.spec.containers[0].resources = { requests: { cpu } };
			});
		await start(space, pausing("pods", { suspend: true, completions: 2 }));
		await request("pods", "11m");
		await target().patch(path(space, "pods"), strategic, { spec: { suspend: false } });
		const { status } = await ready(space, "pods", 2);
		expect(status.startTime).toBeDefined();
		expect(await requests("pods")).toEqual(["11m", "11m"]);
		await expect(request("pods", "12m")).rejects.toThrow(/immutable/);

		await target().patch(path(space, "pods"), strategic, { spec: { suspend: true } });
		const stopped = await space.until(
			path(space, "pods"),
			(job) => isTrue("Suspended", "JobSuspended")(job) && (job.status.active ?? 0) === 0,
		);
		expect(stopped.status).not.toHaveProperty("startTime");
		await request("pods", "12m");
		await target().patch(path(space, "pods"), strategic, { spec: { suspend: false } });
		const resumed = await ready(space, "pods", 2);
		expect(condition(resumed, "Suspended")).toMatchObject({ status: "False", reason: "JobResumed" });
		expect(resumed.status.startTime).toBeDefined();
		expect(await requests("pods")).toEqual(["12m", "12m"]);
	}, 120_000);

	test.concurrent("containers that are restarted in place do not meet the rules for failed pods", async () => {
		await using space = await target().namespace("job-in-place");
		const rules = [{ action: "FailJob", onExitCodes: { containerName: "c", operator: "In", values: [1] } }];
		const once = "if [[ -r /data/foo ]]; then exit 0; else touch /data/foo; exit 1; fi";
		const spec = { parallelism: 1, completions: 1, backoffLimit: 1, podFailurePolicy: { rules } };
		const job = jobOf("in-place", once, spec, { volumes: [{ name: "data", emptyDir: {} }] });
		const [container] = job.spec.template.spec.containers;
		Object.assign(container, { restartPolicy: "OnFailure", volumeMounts: [{ name: "data", mountPath: "/data" }] });
		await start(space, job);
		const { status } = await space.until(path(space, "in-place"), isTrue("Complete", "CompletionsReached"), 60_000);
		expect(status).toMatchObject({ ...ended, succeeded: 1 });
	}, 90_000);

	test.concurrent("when it ends by its deadline or its failures nothing of it runs any more", async () => {
		await using space = await target().namespace("job-ended");
		await start(space, pausing("deadline", { activeDeadlineSeconds: 1 }));
		await start(space, jobOf("failures", "exit 1", { parallelism: 1, completions: 1, backoffLimit: 1 }));
		for (const [name, reason] of [
			["deadline", "DeadlineExceeded"],
			["failures", "BackoffLimitExceeded"],
		] as const) {
			await space.until(path(space, name), isTrue("FailureTarget", reason), 60_000);
			const { status } = await space.until(path(space, name), isTrue("Failed", reason), 60_000);
			expect(status).toMatchObject(ended);
			expect(status.active ?? 0).toBe(0);
			expect(status.conditions.map(({ type }: Json) => type)).toEqual(["FailureTarget", "Failed"]);
		}
	}, 120_000);

	test.concurrent("with a finalizer it is deleted when its time has passed, and gone without", async () => {
		await using space = await target().namespace("job-ttl");
		const job = jobOf("held", "exit 0", { parallelism: 1, completions: 1, ttlSecondsAfterFinished: 3 });
		job.metadata.finalizers = ["k8s.io/dummy-finalizer"];
		await start(space, job);
		const done = await space.until(path(space, "held"), isTrue("Complete"));
		const { metadata } = await space.until(
			path(space, "held"),
			({ metadata: { deletionTimestamp } }) => !!deletionTimestamp,
		);
		const finished = Date.parse(condition(done, "Complete").lastTransitionTime);
		expect(Date.parse(metadata.deletionTimestamp)).toBeGreaterThanOrEqual(finished + 3000);
		await target().update(path(space, "held"), (object) => {
			const { finalizers } = object.metadata;
			object.metadata.finalizers = finalizers.filter((name: string) => name !== "k8s.io/dummy-finalizer");
		});
		await space.gone(path(space, "held"));
		await eventually(async () => expect(await space.pods("job-name=held")).toEqual([]));
	});
});
