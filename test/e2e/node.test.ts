/** What nodes do on their own: static pods, limits of local storage, graceful shutdown. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually, TestCluster } from "./cluster.ts";

const directory = mkdtempSync(`${tmpdir()}/cox-e2e-node-`);
const manifests = `${directory}/static`;
let cluster: TestCluster;
const pod = (name: string, command: string, more: object = {}) => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: { name },
	spec: {
		terminationGracePeriodSeconds: 1,
		containers: [{ name: "main", image: "busybox", command: ["sh", "-c", command], ...more }],
	},
});
beforeAll(async () => {
	writeFileSync(`${directory}/kubelet.yaml`, "shutdownGracePeriod: 20s\n");
	mkdirSync(manifests);
	cluster = await TestCluster.start("--kubelet-config", `${directory}/kubelet.yaml`, "--manifests", manifests);
});
afterAll(async () => {
	await cluster[Symbol.asyncDispose]();
	rmSync(directory, { recursive: true });
});

it("runs the pods of files, and shows them as mirror pods", async () => {
	const file = `${manifests}/web.yaml`;
	writeFileSync(`${manifests}/bad.yaml`, "kind: [");
	writeFileSync(file, JSON.stringify(pod("web", "echo static; sleep 1000")));
	const ready = () => cluster.kubectl("wait", "pod/web-node-1", "--for=condition=Ready", "--timeout=60s");
	await eventually(ready, 60_000);
	expect(await cluster.kubectl("logs", "web-node-1")).toBe("static\n");
	const uid = () => cluster.kubectl("get", "pod", "web-node-1", "-o", "jsonpath={.metadata.uid}");
	const before = await uid();
	await cluster.kubectl("delete", "pod", "web-node-1", "--timeout=60s");
	await eventually(ready, 60_000);
	expect(await uid()).not.toBe(before);
	expect(await cluster.kubectl("describe", "node", "node-1")).toMatch(/InvalidManifest .*bad\.yaml/);
	rmSync(file);
	await cluster.kubectl("wait", "pod/web-node-1", "--for=delete", "--timeout=60s");
});

it("evicts a pod whose volume is larger than its limit, and says which", async () => {
	const large = pod("large", "head -c 3000000 /dev/zero >/v/zeros; sleep 1000", {
		volumeMounts: [{ name: "v", mountPath: "/v" }],
	});
	const spec = { ...large.spec, volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }] };
	await cluster.kubectlInput(JSON.stringify({ ...large, spec }), "apply", "-f", "-");
	await cluster.kubectl("wait", "pod/large", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s");
	const said = "jsonpath={.status.reason}: {.status.message}{.status.conditions[?(@.type=='DisruptionTarget')].reason}";
	expect(await cluster.kubectl("get", "pod", "large", "-o", said)).toBe(
		'Evicted: Usage of EmptyDir volume "v" exceeds the limit "1Mi". TerminationByKubelet',
	);
});

it("says that it has no driver for a volume", async () => {
	const csi = pod("csi", "sleep 1000", { volumeMounts: [{ name: "v", mountPath: "/v" }] });
	const spec = { ...csi.spec, volumes: [{ name: "v", csi: { driver: "disks.example" } }] };
	await cluster.kubectlInput(JSON.stringify({ ...csi, spec }), "apply", "-f", "-");
	await eventually(async () => {
		expect(await cluster.kubectl("get", "events", "--field-selector=involvedObject.name=csi")).toMatch(
			/FailedMount .*driver name disks\.example not found in the list of registered CSI drivers/,
		);
	}, 60_000);
	await cluster.kubectl("delete", "pod", "csi", "--timeout=60s");
});

it("ends its pods before it stops, if it is given the time, and says so", async () => {
	const script = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
	await cluster.kubectlInput(JSON.stringify(pod("ends", script)), "apply", "-f", "-");
	await cluster.kubectl("wait", "pod/ends", "--for=condition=Ready", "--timeout=60s");
	await cluster.coxOk("down");
	await cluster.coxOk("up");
	const said = "jsonpath={.status.phase} {.status.reason}: {.status.message}";
	expect(await cluster.kubectl("get", "pod", "ends", "-o", said)).toBe(
		"Failed Terminated: Pod was terminated in response to imminent node shutdown.",
	);
});
