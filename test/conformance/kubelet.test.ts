/** What a kubelet tells of its node, through the API server's proxy. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json } from "./harness.ts";
import { podOf, shell } from "./objects.ts";

conformance("kubelet", "shared", (target) => {
	const node = async (): Promise<Json> => (await target().get("/api/v1/nodes")).items[0];
	const onNode = async () => ({ nodeName: (await node()).metadata.name });
	const proxied = async (path: string): Promise<Json> => {
		const { metadata } = await node();
		const answer = await target().send("GET", `/api/v1/nodes/${metadata.name}/proxy/${path}`, undefined, {
			Accept: "*/*",
		});
		expect([path, answer.status]).toEqual([path, 200]);
		return answer.body;
	};
	/** Values by name and labels. */
	const metrics = async (path: string): Promise<Map<string, number>> => {
		const lines: string[] = (await proxied(path)).trimEnd().split("\n");
		const samples = lines.flatMap((line) => /^([^#{ ]+(?:\{.*\})?) (\S+)(?: \d+)?$/.exec(line) ?? []);
		const entries = Array.from({ length: samples.length / 3 }, (_, index): [string, number] => [
			samples[3 * index + 1] ?? "",
			Number(samples[3 * index + 2]),
		]);
		return new Map(entries);
	};

	test.concurrent("what the node and its containers use, as a summary and as metrics", async () => {
		await using space = await target().namespace("kubelet-usage");
		await space.run(podOf("busy", shell("while :; do :; done"), await onNode()));
		const labels = `container="main",pod="busy",namespace="${space.name}"`;
		await eventually(async () => {
			const summary = await proxied("stats/summary");
			const pod = summary.pods.find(({ podRef }: Json) => podRef.namespace === space.name);
			expect(pod.containers[0].cpu.usageCoreNanoSeconds).toBeGreaterThan(0);
			expect(pod.memory.workingSetBytes).toBeGreaterThan(0);
			expect(summary.node.cpu.usageNanoCores).toBeGreaterThan(0);
			expect(summary.node.fs.capacityBytes).toBeGreaterThan(summary.node.fs.usedBytes);
			const resource = await metrics("metrics/resource");
			expect(resource.get(`container_cpu_usage_seconds_total{${labels}}`)).toBeGreaterThan(0);
			expect(resource.get(`container_memory_working_set_bytes{${labels}}`)).toBeGreaterThan(0);
			expect(resource.get(`pod_cpu_usage_seconds_total{pod="busy",namespace="${space.name}"}`)).toBeGreaterThan(0);
			expect(resource.get("node_cpu_usage_seconds_total")).toBeGreaterThan(0);
		});
		expect((await metrics("metrics")).get("kubelet_running_pods")).toBeGreaterThan(0);
		const cadvisor = await metrics("metrics/cadvisor");
		expect([...cadvisor.keys()].some((key) => key.includes(`namespace="${space.name}",pod="busy"`))).toBe(true);
	});

	test.concurrent("its pods, those that run, its configuration and its health", async () => {
		await using space = await target().namespace("kubelet-pods");
		await space.output(podOf("done", shell("true"), await onNode()));
		await space.run(podOf("runs", shell("sleep 1000"), await onNode()));
		const names = (list: Json) =>
			list.items
				.filter(({ metadata }: Json) => metadata.namespace === space.name)
				.map(({ metadata }: Json) => metadata.name)
				.sort();
		await eventually(async () => {
			expect(names(await proxied("pods"))).toEqual(["done", "runs"]);
			expect(names(await proxied("runningpods"))).toEqual(["runs"]);
		});
		const { spec, status } = await node();
		const { kubeletconfig } = await proxied("configz");
		expect(kubeletconfig).toMatchObject({ maxPods: Number(status.allocatable.pods), clusterDomain: "cluster.local" });
		if (kubeletconfig.podCIDR !== undefined) expect(kubeletconfig.podCIDR).toBe(spec.podCIDR);
		expect(await proxied("healthz")).toBe("ok");
		const missing = await target().send("GET", `/api/v1/nodes/${(await node()).metadata.name}/proxy/nothing`);
		expect(missing.status).toBe(404);
	});
});
