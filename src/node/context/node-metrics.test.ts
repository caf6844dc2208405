import { expect, test } from "vitest";
import { exposition } from "../../core/metrics/exposition.ts";
import { MetricRegistry } from "../../core/metrics/registry.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import { NodeMetrics } from "./node-metrics.ts";

test("an agent counts containers by how they ended, and probes until the pod leaves", async () => {
	const clock = new VirtualClock({ startMs: 1000 });
	const metrics = new NodeMetrics(new MetricRegistry(), clock);
	const pod = {
		metadata: { namespace: "default", name: "web-0", uid: "u-1" },
		spec: { initContainers: [{ name: "init" }], containers: [{ name: "web" }] },
	} as Pod;
	const ended = (name: string, more: Partial<Container>) => ({ config: { name }, ...more }) as Container;
	metrics.started(pod, "web");
	metrics.notStarted(pod, "web", "CreateContainerError");
	metrics.ended(pod, ended("init", { exitCode: 0, reason: "Completed", finishedAtMs: 1500 }));
	metrics.ended(pod, ended("web", { exitCode: 137, reason: "OOMKilled", finishedAtMs: 2000 }));
	metrics.ended(pod, ended("web", { exitCode: 1, reason: "Error", finishedAtMs: 999 }));
	metrics.probed(pod, "web", "liveness", "failed", 2000);
	metrics.probed(pod, "web", "liveness", "successful", 5);
	const lines = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
	const counted = lines(await exposition(metrics.registry.families));
	expect(counted).toEqual(
		expect.arrayContaining([
			'kubelet_started_containers_total{container_type="container"} 1',
			'kubelet_started_containers_errors_total{container_type="container",code="CreateContainerError"} 1',
			'kubelet_terminated_containers_total{container_type="init_container",exit_code="0",reason="Completed"} 1',
			'kubelet_terminated_containers_total{container_type="container",exit_code="137",reason="OOMKilled"} 1',
		]),
	);
	// The previous agent counted containers that terminated before this agent started.
	expect(counted.some((line) => line.includes('exit_code="1"'))).toBe(false);
	expect(lines(await exposition(metrics.slis))).toContain('kubernetes_healthcheck{name="syncloop",type="healthz"} 1');
	const probes = lines(await exposition(metrics.probes));
	const of = 'probe_type="Liveness",container="web",pod="web-0",namespace="default"';
	expect(probes).toContain(`prober_probe_total{${of},pod_uid="u-1",result="failed"} 1`);
	expect(probes).toContain(`prober_probe_duration_seconds_bucket{${of},le="0.005"} 1`);
	expect(probes).toContain(`prober_probe_duration_seconds_count{${of}} 2`);
	metrics.forget("u-1");
	expect(lines(await exposition(metrics.probes))).toEqual([]);
});
