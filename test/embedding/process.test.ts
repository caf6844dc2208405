import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { jobs, pods, startCluster } from "../../src/index.ts";

test("with the process runtime a Job's program really runs, and nothing of the cluster is left", async () => {
	const cluster = await startCluster({ runtime: "process" });
	const folder = dirname(await cluster.kubeconfigPath());
	try {
		await cluster.apply(`
apiVersion: batch/v1
kind: Job
metadata: { name: hello }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: hello, image: busybox, command: [sh, -c, "echo hello from $(hostname)"] }]
`);
		await cluster.waitFor(jobs, "hello", "Complete");
		const [pod] = (await cluster.client.list(pods, { namespace: "default" })).items;
		expect(await cluster.logs(pod?.metadata.name ?? "")).toBe(`hello from ${pod?.metadata.name}\n`);
	} finally {
		await cluster.stop();
	}
	expect(existsSync(folder)).toBe(false);
});
