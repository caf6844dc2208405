/** A cluster with real pods is saved while it runs, and comes back from the file: here, elsewhere, and after a kill. */
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, run, TestCluster } from "./cluster.ts";
import { kill, Traces } from "./traces.ts";

test("what was saved comes back on a fresh machine: pods run, Secrets are readable, tokens are valid", async () => {
	const file = join(tmpdir(), `cox-snapshot-${process.pid}`);
	try {
		let token = "";
		let before = "";
		{
			await using cluster = await TestCluster.start();
			await cluster.kubectl("create", "deployment", "web", "--image=busybox", "--", "sleep", "100000");
			await cluster.kubectl("create", "secret", "generic", "password", "--from-literal=word=hunter2");
			await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
			token = (await cluster.kubectl("create", "token", "default", "--duration=1h")).trim();
			expect(await cluster.coxOk("snapshot", "save", file)).toMatch(/^saved revision \d+ in /);
			expect((await cluster.cox("snapshot", "restore", file, "--force")).stderr).toContain(
				"is running; run 'cox down' first",
			);
			// Written after the save: it is not to come back, nor is its revision.
			await cluster.kubectl("create", "configmap", "later");
			before = await cluster.kubectl("get", "configmap", "later", "-o", "jsonpath={.metadata.resourceVersion}");
			const traces = new Traces(cluster.data);
			kill(traces.pids(/./));
			await cluster.coxOk("down");
		}
		expect(readFileSync(file).includes("hunter2")).toBe(false);
		await using cluster = TestCluster.empty("elsewhere");
		expect(await cluster.coxOk("snapshot", "verify", file)).toMatch(/is whole: revision \d+, \d+ entries/);
		expect(await cluster.coxOk("snapshot", "restore", file)).toContain("Run 'cox up' to start the cluster");
		await cluster.coxOk("up");
		await cluster.kubectl("wait", "--for=condition=available", "deployment/web", "--timeout=60s");
		await eventually(async () => {
			const text = await cluster.kubectl("exec", "deployment/web", "--", "echo", "runs");
			expect(text).toBe("runs\n");
		});
		const word = await cluster.kubectl("get", "secret", "password", "-o", "jsonpath={.data.word}");
		expect(Buffer.from(word, "base64").toString()).toBe("hunter2");
		expect(await cluster.kubectl("get", "configmap", "later", "--ignore-not-found")).toBe("");
		await cluster.kubectl("create", "configmap", "new");
		const after = await cluster.kubectl("get", "configmap", "new", "-o", "jsonpath={.metadata.resourceVersion}");
		expect(Number(after)).toBeGreaterThan(Number(before));
		const { clusters } = JSON.parse(readFileSync(cluster.kubeconfig, "utf8"));
		const kubectl = (...args: string[]) =>
			run("kubectl", [
				"--kubeconfig=/dev/null",
				`--server=${clusters[0].cluster.server}`,
				"--insecure-skip-tls-verify",
				...args,
			]);
		expect((await kubectl(`--token=${token}`, "auth", "whoami")).stdout).toContain(
			"system:serviceaccount:default:default",
		);
		expect(await cluster.coxOk("snapshot", "verify")).toContain("is whole");
	} finally {
		rmSync(file, { force: true });
	}
});
