/**
 * The MySQL lab: every command of examples/mysql/README.md as it stands, with a real MariaDB, and what a reader would
 * check besides. With images instead of the machine's programs, and with containerd, by `npm run test:images`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mysqlImage } from "../../src/images/testing/notes-images.ts";
import { startRegistry, type TestRegistry } from "../../src/images/testing/registry.ts";
import { eventually, root, run, succeeded, TestCluster } from "./cluster.ts";

const readme = readFileSync(join(root, "examples/mysql/README.md"), "utf8");
const commands = /```bash\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
/** The commands by the comment that heads them; those before the first comment are "set up". */
const steps = new Map(
	commands.split("\n\n").map((block): [string, string] => [/^# (.*)/.exec(block)?.[1] ?? "set up", block]),
);

const ways: readonly (readonly string[])[] =
	process.env.COX_NOTES_IMAGES === "all"
		? [
				["--images", "registry"],
				["--runtime", "containerd"],
			]
		: [[]];

describe.each(ways)("the MySQL lab %s %s", { timeout: 90_000 }, (...options) => {
	let cluster: TestCluster;
	let registry: TestRegistry | undefined;
	const done = new Set<string>();

	/** Runs a step of the README as its reader would: in a shell, in the project's folder. */
	async function step(title: string): Promise<string> {
		const text = steps.get(title);
		if (text === undefined) throw new Error(`the README has no step "${title}", only ${[...steps.keys()].join(", ")}`);
		done.add(title);
		return succeeded(title, await run("bash", ["-euo", "pipefail", "-c", text], { env: cluster.environment }));
	}

	/** The rows of a query, as mariadb prints them for programs. */
	async function rows(pod: string, sql: string): Promise<string[]> {
		const shell = `mariadb -uroot -p"$MYSQL_ROOT_PASSWORD" -NB -e '${sql}'`;
		return (await cluster.kubectl("exec", pod, "--", "sh", "-c", shell)).trimEnd().split("\n");
	}

	async function listed(kind: string, path: string, ...more: string[]): Promise<string[]> {
		const text = await cluster.kubectl("get", kind, ...more, "-o", `jsonpath={range .items[*]}{${path}}{"\\n"}{end}`);
		return text.split("\n").filter((line) => line !== "");
	}

	beforeAll(async () => {
		cluster = await TestCluster.start("--nodes", "3", ...options);
		if (options.length === 0) return;
		registry = await startRegistry();
		const image = mysqlImage();
		await registry.push(image, "library/mysql", "8.0");
		await registry.push(image, "library/mariadb", "10.11");
		const mirrors = `mirrors: { docker.io: { endpoint: ["http://${registry.host}"] } }\n`;
		writeFileSync(`${cluster.data}/registries.yaml`, mirrors);
	}, 180_000);
	afterAll(async () => {
		await cluster?.[Symbol.asyncDispose]();
		await registry?.stop();
	}, 120_000);

	test("three replicas run on three nodes, each with a claim of its own", async () => {
		await step("set up");
		expect(new Set(await listed("pods", ".spec.nodeName", "-l", "app=mysql")).size).toBe(3);
		expect(await listed("pvc", ".metadata.name")).toEqual(["data-mysql-0", "data-mysql-1", "data-mysql-2"]);
		for (const pod of ["mysql-0", "mysql-1", "mysql-2"]) expect(await rows(pod, "select @@hostname")).toEqual([pod]);
	});

	test("data come in through kubectl exec -i, into one replica only", async () => {
		await step("something to dump");
		expect(await rows("mysql-0", "select count(*), sum(amount) from shop.orders")).toEqual(["500\t156562.50"]);
		expect(await rows("mysql-1", "show databases")).not.toContain("shop");
	});

	test("a Job dumps the database onto a claim", async () => {
		expect(await step("dump it now, onto the claim mysql-dumps")).toMatch(/dumped [1-9]\d* statements, \d{5,} bytes/);
	});

	test("a CronJob makes dumps, and three of them stay, with the Jobs that made them", async () => {
		await step("and every night at two, keeping three");
		await cluster.kubectl("wait", "--for=condition=complete", "job/mysql-dump-now", "--timeout=60s");
		const made: string[] = [];
		let kept: string[] = [];
		const look = async (job: string) => {
			kept = (await cluster.kubectl("logs", `job/${job}`)).trimEnd().split("\n").slice(1);
			made.push(...kept.filter((file) => !made.includes(file)));
		};
		await look("mysql-dump-now");
		let last = "mysql-dump-now";
		for (const job of ["second", "third", "fourth"]) {
			// Which Job is the oldest is told by whole seconds: each begins in one of its own.
			const started = await cluster.kubectl("get", "job", last, "-o", "jsonpath={.status.startTime}");
			await eventually(async () => expect(Date.now()).toBeGreaterThan(Date.parse(started) + 1000));
			last = job;
			await cluster.kubectl("create", "job", "--from=cronjob/mysql-nightly-dump", job);
			await cluster.kubectl("wait", "--for=condition=complete", `job/${job}`, "--timeout=60s");
			await look(job);
		}
		expect(made).toHaveLength(4);
		expect(kept).toEqual(made.slice(1));
		await eventually(async () => {
			const jobs = await listed("jobs", ".metadata.name");
			expect(jobs.sort()).toEqual(["fourth", "mysql-dump", "second", "third"]);
		});
	});

	test("the CronJob fires on schedule", async () => {
		const change = (spec: object) =>
			cluster.kubectl("patch", "cronjob", "mysql-nightly-dump", "-p", JSON.stringify({ spec }));
		await change({ schedule: "@every 1s" });
		const job = await eventually(async () => {
			const jobs = await listed("jobs", ".metadata.name");
			const scheduled = jobs.find((name) => /^mysql-nightly-dump-\d+$/.test(name));
			if (scheduled === undefined) throw new Error(`no Job was made on schedule, only ${jobs.join(", ")}`);
			return scheduled;
		});
		await change({ suspend: true });
		await cluster.kubectl("wait", "--for=condition=complete", `job/${job}`, "--timeout=60s");
		const logs = await cluster.kubectl("logs", `job/${job}`);
		expect(logs.match(/nightly-.*\.sql/g)).toHaveLength(3);
	});

	test("a Job restores the dump into another replica, the same row by row", async () => {
		const shown = (await step("into another replica")).split("\n").filter((line) => /^\d+\t/.test(line));
		const everything = "select * from shop.orders order by id";
		const original = await rows("mysql-0", everything);
		expect(original).toHaveLength(500);
		expect(await rows("mysql-1", everything)).toEqual(original);
		expect(shown).toEqual(original);
		const checksum = "checksum table shop.orders";
		expect(await rows("mysql-1", checksum)).toEqual(await rows("mysql-0", checksum));
		expect(await rows("mysql-2", "show databases")).not.toContain("shop");
	});

	test("a deleted pod comes back with its name, its claim and its data", async () => {
		const describePod = (path: string) => cluster.kubectl("get", "pod", "mysql-0", "-o", `jsonpath={${path}}`);
		const claim = ".spec.volumes[?(@.name=='data')].persistentVolumeClaim.claimName";
		const before = { uid: await describePod(".metadata.uid"), claim: await describePod(claim) };
		expect(await step("delete a pod; its data is kept")).toMatch(/^500$/m);
		expect(await describePod(".metadata.uid")).not.toBe(before.uid);
		expect(await describePod(claim)).toBe("data-mysql-0");
		expect(before.claim).toBe("data-mysql-0");
		expect(await describePod(".status.containerStatuses[0].restartCount")).toBe("0");
	});

	test("no step of the README was left out", () => {
		expect([...done].sort()).toEqual([...steps.keys()].sort());
	});
});
