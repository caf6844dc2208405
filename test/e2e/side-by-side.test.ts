/** Two clusters on one machine with the same names and addresses are isolated from each other. */
import { expect, test } from "vitest";
import { eventually, kubectlPath, TestCluster } from "./cluster.ts";
import { MachineNetwork, Traces } from "./traces.ts";

/** Responds to `/hostname` with a name that identifies the cluster. */
const webPod = (name: string, hostname: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  hostname: ${hostname}
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: registry.k8s.io/e2e-test-images/agnhost:2.53
      args: [netexec, --http-port=8080]
      readinessProbe: { httpGet: { path: /hostname, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: ${name} }
  ports: [{ port: 80, targetPort: 8080 }]
`;

test("two clusters with the same names are isolated, and stopping one does not affect the other", async () => {
	const network = await MachineNetwork.look();
	await using left = await TestCluster.start();
	await using right = await TestCluster.start();
	const get = (cluster: TestCluster, kind: string, name: string, path: string) =>
		cluster.kubectl("get", kind, name, "-o", `jsonpath={${path}}`);
	const fetch = async (cluster: TestCluster, host: string, limitSeconds = 5) => {
		const args = ["exec", "web", "--", "curl", "--silent", "--max-time", `${limitSeconds}`, `http://${host}/hostname`];
		const { code, stdout } = await cluster.kubectlWith(kubectlPath)(...args);
		return code === 0 ? stdout : "no answer";
	};

	const start = async (cluster: TestCluster, name: string, hostname: string) => {
		await cluster.kubectlInput(webPod(name, hostname), "apply", "-f", "-");
		await cluster.kubectl("wait", "--for=condition=ready", `pod/${name}`, "--timeout=60s");
	};
	await Promise.all([start(left, "web", "left"), start(right, "web", "right")]);
	// Later, so that it has an address that no pod of the other cluster has.
	await start(left, "only-left", "left-only");
	expect(await get(left, "pod", "web", ".status.podIP")).toBe(await get(right, "pod", "web", ".status.podIP"));

	const [server, otherServer] = await Promise.all(
		[left, right].map((cluster) => cluster.kubectl("config", "view", "-o", "jsonpath={..server}")),
	);
	expect(server).not.toBe(otherServer);
	expect(await get(left, "pod", "web", ".spec.nodeName")).toBe(await get(right, "pod", "web", ".spec.nodeName"));
	// Nodes learn service addresses shortly after the pods are ready.
	await eventually(async () => {
		expect(await fetch(left, "web")).toBe("left");
		expect(await fetch(right, "web")).toBe("right");
		expect(await fetch(left, "only-left")).toBe("left-only");
	});
	expect(await get(left, "pod", "only-left", ".status.podIP")).toMatch(/^10\.244\./);
	for (const host of [
		"only-left",
		await get(left, "service", "only-left", ".spec.clusterIP"),
		`${await get(left, "pod", "only-left", ".status.podIP")}:8080`,
	])
		expect(await fetch(right, host, 1)).toBe("no answer");

	const container = ".status.containerStatuses[0].containerID";
	const before = await get(right, "pod", "web", container);
	const traces = new Traces(left.data);
	expect(traces.look()).not.toEqual([]);
	await left.coxOk("down");
	expect(traces.look()).toEqual([]);
	expect(await fetch(right, "web")).toBe("right");
	expect(await get(right, "pod", "web", container)).toBe(before);
	await left.coxOk("reset");
	expect(await right.coxOk("status")).toMatch(/node-1 +Ready/);
	await right.coxOk("down");
	await network.expectNoTrace(left.data, right.data);
});
