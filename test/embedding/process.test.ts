import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { jobs, pods, startCluster } from "../../src/index.ts";

test("with the process runtime a Job's program really runs, and nothing of the cluster is left", async () => {
	const cluster = await startCluster({ runtime: "process", serviceCidr: "10.97.0.0/16" });
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
      containers: [{ name: hello, image: busybox, command: [sh, -c, "echo hello from $(hostname), $KUBERNETES_SERVICE_HOST, $(grep ^nameserver /etc/resolv.conf)"] }]
`);
		await cluster.waitFor(jobs, "hello", "Complete");
		const [pod] = (await cluster.client.list(pods, { namespace: "default" })).items;
		const { name = "" } = pod?.metadata ?? {};
		expect(await cluster.logs(name)).toBe(`hello from ${name}, 10.97.0.1, nameserver 10.97.0.10\n`);
		expect(await certificateNames(await cluster.kubeconfig())).toContain("IP Address:10.97.0.1");
	} finally {
		await cluster.stop();
	}
	expect(existsSync(folder)).toBe(false);
});

/** What the API server's certificate is good for. */
async function certificateNames(kubeconfig: string): Promise<string | undefined> {
	const port = /https:\/\/127\.0\.0\.1:(\d+)/.exec(kubeconfig)?.[1];
	const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false });
	await once(socket, "secureConnect");
	const names = socket.getPeerCertificate().subjectaltname;
	socket.destroy();
	return names;
}
