import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, isTrue, type Json, merge, type Namespace, slow } from "./harness.ts";
import { jobOf } from "./objects.ts";

conformance("CronJob", "shared", (target) => {
	function cronJobOf(name: string, schedule: string, command: string, spec: Json = {}): Json {
		const { spec: job } = jobOf(name, command, { parallelism: 1, completions: 1 });
		return { metadata: { name }, spec: { schedule, concurrencyPolicy: "Allow", ...spec, jobTemplate: { spec: job } } };
	}
	const cron = (space: Namespace, name: string) => space.batch("cronjobs", name);
	const active = (space: Namespace, name: string, count: number, limitMs = 150_000) =>
		space.until(cron(space, name), ({ status }) => (status?.active?.length ?? 0) === count, limitMs);

	test.concurrent("supports the API's operations, also on its status", async () => {
		await using space = await target().namespace("cron-api");
		const label = `special-label=${space.name}`;
		const make = (name: string) => {
			const job = cronJobOf(name, "* */1 * * ?", "exit 0", {
				successfulJobsHistoryLimit: 1,
				failedJobsHistoryLimit: 0,
			});
			job.metadata.labels = { "special-label": space.name };
			return job;
		};
		const { resources } = await target().get("/apis/batch/v1");
		expect(resources.map((resource: Json) => resource.name)).toEqual(
			expect.arrayContaining(["cronjobs", "cronjobs/status"]),
		);
		const created = await target().post(space.batch("cronjobs"), {
			...make("test-api"),
			metadata: { generateName: "test-api-", labels: { "special-label": space.name } },
		});
		const { name } = created.metadata;
		for (const list of [space.batch("cronjobs"), "/apis/batch/v1/cronjobs"])
			expect((await target().get(`${list}?labelSelector=${label}`)).items).toHaveLength(1);
		const events = `${space.batch("cronjobs")}?labelSelector=${label}`;
		const patched = await target().patch(cron(space, name), merge, { metadata: { annotations: { patched: "true" } } });
		expect(patched.metadata.annotations["patched"]).toBe("true");
		await target().update(cron(space, name), (object) => {
			object.metadata.annotations["updated"] = "true";
		});
		await target().watch(
			events,
			created.metadata.resourceVersion,
			({ object }) => object.metadata.annotations["updated"] === "true",
		);
		const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
		const status = await target().patch(`${cron(space, name)}/status`, merge, {
			metadata: { annotations: { patchedstatus: "true" } },
			status: { lastScheduleTime: at },
		});
		expect(status).toMatchObject({
			metadata: { annotations: { patchedstatus: "true" } },
			status: { lastScheduleTime: at },
		});
		await target().update(cron(space, name), (object) => delete object.status.lastScheduleTime, "/status");
		expect((await target().get(`${cron(space, name)}/status`)).metadata.uid).toBe(created.metadata.uid);
		await target().delete(cron(space, name));
		await space.gone(cron(space, name));
		await target().post(space.batch("cronjobs"), make("second"));
		await target().delete(events);
		expect((await target().get(events)).items).toEqual([]);
	});

	test.concurrent("an unknown time zone is refused", async () => {
		await using space = await target().namespace("cron-zone");
		const answer = await target().send(
			"POST",
			space.batch("cronjobs"),
			cronJobOf("zone", "*/1 * * * ?", "exit 0", { timeZone: "bad-time-zone" }),
		);
		expect(answer).toMatchObject({ status: 422, body: { reason: "Invalid" } });
	});

	slow.concurrent(
		"Allow runs jobs side by side",
		async () => {
			await using space = await target().namespace("cron-allow");
			await target().post(space.batch("cronjobs"), cronJobOf("concurrent", "*/1 * * * ?", "sleep 300"));
			await active(space, "concurrent", 2);
		},
		200_000,
	);

	slow.concurrent(
		"a suspended one starts nothing",
		async () => {
			await using space = await target().namespace("cron-suspend");
			await target().post(
				space.batch("cronjobs"),
				cronJobOf("suspended", "*/1 * * * ?", "sleep 300", { suspend: true }),
			);
			// One like it that is not suspended has started twice: there was time to.
			await target().post(space.batch("cronjobs"), cronJobOf("other", "*/1 * * * ?", "sleep 300"));
			const { status } = await active(space, "other", 2);
			const { items } = await target().get(space.batch("jobs"));
			expect(items.map(({ metadata }: Json) => metadata.name).sort()).toEqual(
				status.active.map(({ name }: Json) => name).sort(),
			);
		},
		200_000,
	);

	slow.concurrent(
		"Forbid keeps to the job that runs",
		async () => {
			await using space = await target().namespace("cron-forbid");
			await target().post(
				space.batch("cronjobs"),
				cronJobOf("forbid", "*/1 * * * ?", "sleep 300", { concurrencyPolicy: "Forbid" }),
			);
			await active(space, "forbid", 1);
			await eventually(async () => {
				const events = await target().get(`${space.core("events")}?fieldSelector=reason%3DJobAlreadyActive`);
				expect(events.items).not.toEqual([]);
			}, 90_000);
			expect((await target().get(space.batch("jobs"))).items).toHaveLength(1);
		},
		200_000,
	);

	slow.concurrent(
		"Replace puts a new job in the place of the old one",
		async () => {
			await using space = await target().namespace("cron-replace");
			await target().post(
				space.batch("cronjobs"),
				cronJobOf("replace", "*/1 * * * ?", "sleep 300", { concurrencyPolicy: "Replace" }),
			);
			const { status } = await active(space, "replace", 1);
			await space.gone(space.batch("jobs", status.active[0].name), 90_000);
			await active(space, "replace", 1);
		},
		200_000,
	);

	slow.concurrent(
		"finished jobs go beyond the history limit, and their time is written on them",
		async () => {
			await using space = await target().namespace("cron-history");
			await target().post(
				space.batch("cronjobs"),
				cronJobOf("history", "*/1 * * * ?", "exit 0", { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }),
			);
			const jobs = async (): Promise<Json[]> => (await target().get(space.batch("jobs"))).items;
			const [first] = await eventually(async () => {
				const done = (await jobs()).filter(isTrue("Complete"));
				expect(done).toHaveLength(1);
				return done;
			}, 90_000);
			expect(Date.parse(first.metadata.annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"])).toBeGreaterThan(
				0,
			);
			await space.gone(space.batch("jobs", first.metadata.name), 90_000);
			expect(await jobs()).toHaveLength(1);
		},
		200_000,
	);

	const told = async (space: Namespace): Promise<string[]> =>
		(await target().get(space.core("events"))).items
			.filter(({ involvedObject }: Json) => involvedObject.kind === "CronJob")
			.map(({ reason }: Json) => reason);

	slow.concurrent(
		"a job that someone deletes is taken off the active ones, and that is said",
		async () => {
			await using space = await target().namespace("cron-missing");
			await target().post(
				space.batch("cronjobs"),
				cronJobOf("forbid", "*/1 * * * ?", "sleep 300", { concurrencyPolicy: "Forbid" }),
			);
			const { status } = await active(space, "forbid", 1);
			const job = space.batch("jobs", status.active[0].name);
			await target().delete(job, { propagationPolicy: "Foreground" });
			await space.gone(job);
			await active(space, "forbid", 0, 30_000);
			await eventually(async () => expect(await told(space)).toContain("MissingJob"), 30_000);
		},
		200_000,
	);

	slow.concurrent(
		"failed jobs go beyond their limit, with their pods, and nothing unexpected is said",
		async () => {
			await using space = await target().namespace("cron-failed");
			const cronJob = cronJobOf("failed", "*/1 * * * ?", "", {
				successfulJobsHistoryLimit: 0,
				failedJobsHistoryLimit: 1,
			});
			const job = cronJob.spec.jobTemplate.spec;
			job.backoffLimit = 1;
			job.template.spec.restartPolicy = "OnFailure";
			job.template.spec.containers[0].command = ["/bin/false"];
			await target().post(space.batch("cronjobs"), cronJob);
			const failed = async () => {
				const jobs: Json[] = (await target().get(space.batch("jobs"))).items.filter(isTrue("Failed"));
				expect(jobs).toHaveLength(1);
				return jobs;
			};
			const [first] = await eventually(failed, 120_000);
			await space.gone(space.batch("jobs", first.metadata.name), 120_000);
			await eventually(async () => expect(await space.pods(`controller-uid=${first.metadata.uid}`)).toEqual([]));
			await failed();
			expect(await told(space)).not.toEqual(expect.arrayContaining(["MissingJob"]));
			expect(await told(space)).not.toEqual(expect.arrayContaining(["UnexpectedJob"]));
		},
		300_000,
	);
});
