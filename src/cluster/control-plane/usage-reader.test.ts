import { expect, test } from "vitest";
import { parseQuantity } from "../../core/quantity.ts";
import { horizontalPodAutoscalers } from "../../kinds/autoscaling/horizontalpodautoscaler.ts";
import { startCluster } from "../embed/embed.ts";

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: busy, namespace: default }
spec:
  replicas: 2
  selector: { matchLabels: { app: busy } }
  template:
    metadata:
      labels: { app: busy }
      annotations: { simulate.coxswain.io/cpu: 90m, simulate.coxswain.io/memory: 64Mi }
    spec:
      containers: [{ name: c, image: web, resources: { requests: { cpu: 100m } } }]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: busy, namespace: default }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: busy }
  maxReplicas: 7
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } }]
`;

test("an autoscaler follows what the pods of simulated nodes say they use, the same way every time", async () => {
	const run = async () => {
		await using cluster = await startCluster({ clock: "virtual", nodes: 2 });
		await cluster.apply(manifest);
		await cluster.clock.advance("20m");
		const { status } = await cluster.client.get(horizontalPodAutoscalers, { namespace: "default", name: "busy" });
		expect(status).toMatchObject({
			currentReplicas: 7,
			desiredReplicas: 7,
			currentMetrics: [{ resource: { current: { averageUtilization: 90, averageValue: "90m" } } }],
		});
		const read = await cluster.client.raw("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods");
		const { items } = read as { items: { containers: object[] }[] };
		expect(items).toHaveLength(7);
		expect(items[0]?.containers).toEqual([{ name: "c", usage: { cpu: "90000000n", memory: "64Mi" } }]);
		const nodes = await cluster.client.raw("GET", "/apis/metrics.k8s.io/v1beta1/nodes");
		const used = (nodes as { items: { usage: { cpu: string } }[] }).items.map(({ usage }) => parseQuantity(usage.cpu));
		expect(used.reduce((sum, cores) => sum + cores)).toBeCloseTo(7 * 0.09);
		return status;
	};
	expect(await run()).toEqual(await run());
});
