/** Clusters at work, with no part of them lacking a right: what the simulation of whole clusters does not do. */
import { afterEach, beforeEach, expect, test } from "vitest";
import {
	type Cluster,
	deployments,
	horizontalPodAutoscalers,
	namespaces,
	nodes,
	persistentVolumeClaims,
	pods,
	secrets,
	startCluster,
	type VirtualTime,
} from "../../src/index.ts";
import { certificateSigningRequests } from "../../src/kinds/certificates/certificatesigningrequest.ts";
import { testRequest } from "../../src/kinds/certificates/testing/certificate-requests.ts";

let cluster: Cluster<VirtualTime>;
let refusals: string[] = [];

beforeEach(async () => {
	refusals = [];
	cluster = await startCluster({
		clock: "virtual",
		nodes: [{ capacity: { cpu: "4" } }, { capacity: { cpu: "4" } }],
		onError: (what: string, error: unknown) => what.includes("lacks a right") && refusals.push(`${what}: ${error}`),
	});
});
afterEach(async () => {
	await cluster.stop();
	expect(refusals).toEqual([]);
});

const container = { name: "main", image: "busybox", resources: { requests: { cpu: "1" } } };

test("a pod of kubectl run becomes a Deployment where the namespace asks for it", async () => {
	await cluster.client.patch(
		namespaces,
		{ name: "default" },
		{
			type: "merge",
			patch: { metadata: { labels: { "coxswain.io/kubectl-run": "deployment" } } },
		},
	);
	await cluster.client.create(pods, {
		metadata: { name: "web", namespace: "default", labels: { run: "web" } },
		spec: { containers: [container] },
	});
	await cluster.waitFor(deployments, "web", "Available");
});

test("an autoscaler scales by what pods use", async () => {
	await cluster.apply(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web }, annotations: { simulate.coxswain.io/cpu: "800m" } }
    spec: { containers: [{ name: main, image: busybox, resources: { requests: { cpu: 500m } } }] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  maxReplicas: 3
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } }]
`);
	await cluster.waitFor(deployments, "web", ({ spec }) => (spec.replicas ?? 0) > 1, { timeout: "10m" });
	await cluster.waitFor(horizontalPodAutoscalers, "web", "AbleToScale");
});

test("certificates are signed, and Secrets get tokens", async () => {
	await cluster.kubeconfig();
	const { pem } = await testRequest("CN=ann, O=dev");
	await cluster.client.create(certificateSigningRequests, {
		metadata: { name: "ann" },
		spec: {
			request: Buffer.from(pem).toString("base64"),
			signerName: "kubernetes.io/kube-apiserver-client",
			usages: ["client auth"],
		},
	});
	const conditions = [{ type: "Approved", status: "True", reason: "Test", message: "" }];
	await cluster.client.patch(
		certificateSigningRequests,
		{ name: "ann" },
		{ type: "merge", patch: { status: { conditions } } },
		"approval",
	);
	await cluster.waitFor(certificateSigningRequests, "ann", ({ status }) => status?.certificate !== undefined);
	await cluster.client.create(secrets, {
		metadata: { name: "token", namespace: "default", annotations: { "kubernetes.io/service-account.name": "default" } },
		type: "kubernetes.io/service-account-token",
	});
	await cluster.waitFor(secrets, "token", ({ data }) => data?.["token"] !== undefined);
});

test("the important push others away, evictions and lost nodes take their pods, and volumes go with their claims", async () => {
	await cluster.apply(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, annotations: { coxswain.io/grow-claims: "true" } }
spec:
  replicas: 2
  serviceName: db
  persistentVolumeClaimRetentionPolicy: { whenDeleted: Delete, whenScaled: Delete }
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec: { containers: [{ name: main, image: busybox, resources: { requests: { cpu: "3" } } }] }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`);
	await cluster.waitForList(pods, { labelSelector: "app=db" }, (list) => list.length === 2 && list.every(isReady));
	await cluster.client.create(pods, {
		metadata: { name: "urgent", namespace: "default" },
		spec: {
			priorityClassName: "system-cluster-critical",
			containers: [{ ...container, resources: { requests: { cpu: "3" } } }],
		},
	});
	const urgent = await cluster.waitFor(pods, "urgent", "Ready", { timeout: "5m" });
	await cluster.client.createSubresource(pods, { namespace: "default", name: "urgent" }, "eviction", {
		apiVersion: "policy/v1",
		kind: "Eviction",
		metadata: { name: "urgent" },
	});
	await cluster.waitFor(pods, "urgent", "deleted");
	await cluster.waitForList(pods, { labelSelector: "app=db" }, (list) => list.length === 2 && list.every(isReady), {
		timeout: "5m",
	});
	await cluster.client.delete(pods, { namespace: "default", name: "db-0" });
	await cluster.nodes.crash(urgent.spec.nodeName ?? "");
	await cluster.clock.advance("10m");
	await cluster.nodes.restart(urgent.spec.nodeName ?? "");
	await cluster.delete(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
`);
	await cluster.waitForList(persistentVolumeClaims, {}, (list) => list.length === 0, { timeout: "10m" });
	await cluster.nodes.remove("node-1");
	await cluster.waitFor(nodes, "node-1", "deleted");
	await cluster.clock.advance("5m");
});

function isReady({ status }: { status?: { conditions?: readonly { type: string; status: string }[] } }): boolean {
	return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
}
