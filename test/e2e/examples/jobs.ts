/** examples/jobs: a migration before a rollout, backups with retention, a pipeline, a work queue. */
import { describe, expect, test } from "vitest";
import { describeWith } from "../../../src/core/testing/programs.ts";
import { eventually, type TestCluster } from "../cluster.ts";
import { Readme } from "../readme.ts";

export function jobExamples(cluster: () => TestCluster, isWhole: boolean): void {
	const readme = new Readme("examples/jobs/README.md", cluster);

	describeWith(["redis-server", "redis-cli"], "examples/jobs: a work queue on Redis", () => {
		test("each task is done once, though a worker is killed with a task in hand", async () => {
			await readme.step("the queue and its tasks");
			// What a worker had in hand that was killed long before. Who takes it up may be the one that is killed now, so that
			// only the count tells that somebody did.
			await cluster().kubectl("exec", "queue-0", "--", "redis-cli", "rpush", "working:lost", "task-41");
			await readme.step("three workers; kill one of them");
			await readme.step("all tasks are done");
			const counts = await cluster().kubectl("exec", "queue-0", "--", "redis-cli", "hgetall", "done");
			// A task and how often it was done, in turn.
			const words = counts.trimEnd().split("\n");
			const tasks = words.filter((_, index) => index % 2 === 0).sort();
			expect(tasks).toEqual(Array.from({ length: 41 }, (_, index) => `task-${index + 1}`).sort());
			expect(words.filter((_, index) => index % 2 === 1)).toEqual(Array.from({ length: 41 }, () => "1"));
		});
	});

	describe.runIf(isWhole)("examples/jobs (whole)", () => {
		describeWith(["mariadbd", "mariadb-dump"], "on MariaDB", () => {
			test("an application waits for its schema, while the one before it goes on serving", async () => {
				await readme.step("set up");
				await readme.step("version 1: the migration, then the application");
				await readme.step("version 2 without its migration: the new pod waits, the old pods continue to serve");
				await eventually(async () => {
					const pods = await cluster().kubectl("get", "pods", "-l", "app=shop");
					expect(pods).toMatch(/Init:0\/1/);
					expect(pods.match(/1\/1 +Running/g)).toHaveLength(2);
				});
				expect(await readme.step("with it, it rolls out")).toMatch(/migrated to 2\n[\s\S]*\n2\tanchor\t20\.00\n/);
			});

			test("the newest backups stay, and each is whole", async () => {
				await readme.step("every night, and four times now");
				const [made, ...files] = (await readme.step("the oldest of the four has been deleted"))
					.trimEnd()
					.split("\n")
					.slice(-4);
				expect(made).toMatch(/^made shop-.*; there are:$/);
				expect(files).toHaveLength(3);
			});
		});

		test("a pipeline's Jobs run in the order of their dependencies, and stop at a fault", async () => {
			const done = await readme.step("run it");
			for (const part of ["0", "1", "2"]) expect(done).toContain(`test ${part} passed`);
			expect(done).toMatch(/published\/greeter\.tar\.gz$/m);
			const failed = await readme.step("again, with a bug: the Jobs after the test fail without running");
			expect(failed).toMatch(/^lint +Complete/m);
			for (const job of ["test", "build", "publish"]) expect(failed).toMatch(new RegExp(`^${job} +Failed`, "m"));
			expect(failed).toMatch(/^test has failed$/m);
		});

		test("no step of the README was left out", async () => {
			await readme.step("clean up");
			expect(readme.leftOut).toEqual([]);
		});
	});
}
