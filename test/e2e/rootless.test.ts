/** A cluster of an ordinary user: without root or groups, with a separate home directory. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asUser, eventually, kubectlPath, root, run, TestCluster } from "./cluster.ts";
import { spreadSet, webServer } from "./spread.ts";
import { kill, MachineNetwork, Traces } from "./traces.ts";

/** No such user exists on the machine, and none is needed. */
const user = 61_234;

/** The reason why the tests cannot run here, or undefined. */
function obstacle(): string | undefined {
	if (process.getuid?.() !== 0) return "not root: everything else runs as an ordinary user already";
	const [program = "", ...args] = asUser(user);
	const works = (...command: string[]) => spawnSync(program, [...args, ...command]).status === 0;
	if (!works(process.execPath, join(root, "bin/cox.js"), "--version")) return `other users cannot read ${root}`;
	if (!works("unshare", "--user", "--map-root-user", "true")) return "user namespaces are forbidden here";
	return undefined;
}

const because = obstacle();

const db = spreadSet({
	name: "db",
	container: { ...webServer, volumeMounts: [{ name: "data", mountPath: "/data" }] },
	spec: {
		volumeClaimTemplates: [
			{
				metadata: { name: "data" },
				spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
			},
		],
	},
});
const manifest = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec:
  clusterIP: None
  selector: { app: db }
  ports: [{ name: http, port: 8080 }]
---
apiVersion: v1
kind: Service
metadata: { name: front }
spec:
  selector: { app: db }
  ports: [{ port: 80, targetPort: 8080 }]
---
${db}`;

describe.skipIf(because !== undefined)(`an ordinary user's cluster ${because ?? ""}`, { timeout: 60_000 }, () => {
	let cluster: TestCluster;
	let network: MachineNetwork;

	const inPod = (pod: string, ...command: string[]) => cluster.kubectl("exec", pod, "--", ...command);
	const curl = (url: string) => ["curl", "--silent", "--fail", "--max-time", "5", url];

	beforeAll(async () => {
		network = await MachineNetwork.look();
		cluster = await TestCluster.startAs(user, "--nodes", "2");
	});
	afterAll(() => cluster?.[Symbol.asyncDispose]());

	test("reports its limitations", async () => {
		expect(await cluster.coxOk("status")).toContain("rootless");
		expect(await cluster.coxOk("status")).toMatch(/without root, .*fsGroup have no effect/);
	});

	test("runs a Job and keeps its log", async () => {
		await cluster.kubectl(
			"create",
			"job",
			"count",
			"--image=busybox",
			"--",
			"sh",
			"-c",
			"for i in 1 2 3; do echo $i; done",
		);
		await cluster.kubectl("wait", "--for=condition=complete", "job/count", "--timeout=20s");
		expect(await cluster.kubectl("logs", "job/count")).toBe("1\n2\n3\n");
	});

	test("runs a StatefulSet with claims and DNS names, and Services reach its pods", async () => {
		await cluster.kubectlInput(manifest, "apply", "-f", "-");
		await cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=30s");
		expect(await inPod("db-0", ...curl("http://db-1.db:8080/hostname"))).toBe("db-1");
		const answers = new Set<string>();
		await eventually(async () => {
			answers.add(await inPod("db-0", ...curl("http://front/hostname")));
			expect(answers).toEqual(new Set(["db-0", "db-1"]));
		});

		await inPod("db-0", "sh", "-c", "echo kept >/data/file");
		await cluster.kubectl("delete", "pod", "db-0");
		await eventually(async () => expect(await inPod("db-0", "cat", "/data/file")).toBe("kept\n"));
	});

	test("containers are root inside, and an ordinary user on the machine", async () => {
		expect(await inPod("db-1", "id", "-u")).toBe("0\n");
		const denied = await cluster.kubectlWith(kubectlPath)("exec", "db-1", "--", "touch", "/proc/sys/kernel/hostname");
		expect(denied.code).not.toBe(0);
	});

	test("keeps its data across down and up, and leaves nothing behind", async () => {
		const traces = new Traces(cluster.data);
		expect(traces.look()).not.toEqual([]);
		await cluster.coxOk("down");
		expect(traces.look()).toEqual([]);
		await network.expectNoTrace(cluster.data);
		await cluster.coxOk("up");
		await eventually(async () => expect(await inPod("db-0", "cat", "/data/file")).toBe("kept\n"));
		kill(traces.pids(/./));
		await cluster.coxOk("down");
		await eventually(async () => expect(traces.look()).toEqual([]), 5_000);
		await network.expectNoTrace(cluster.data);
	});
});

test.skipIf(because !== undefined)(
	"where user namespaces are forbidden, cox up says so in one line, with the remedy",
	async () => {
		const data = mkdtempSync(join(tmpdir(), "cox-test-"));
		try {
			// A user namespace in which no further ones can be created.
			const script = `echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" "$@"`;
			const cox = [process.execPath, join(root, "bin/cox.js"), "up", "--data", data];
			const refused = await run("unshare", ["--user", "--keep-caps", "sh", "-c", script, ...cox]);
			expect(refused.code).toBe(1);
			expect(refused.stderr).toMatch(/^cox: user namespaces do not work here .*; remedy: sudo sysctl .*\n$/);
			expect(new Traces(data).look()).toEqual([]);
		} finally {
			await rm(data, { recursive: true, force: true });
		}
	},
);
