import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, restarts, slow } from "./harness.ts";
import { podOf, shell } from "./objects.ts";

conformance("probes", "shared", (target) => {
	test.concurrent("readiness waits for its initial delay, and never comes for a probe that fails", async () => {
		await using space = await target().namespace("readiness");
		await target().post(
			space.core("pods"),
			podOf(
				"bad",
				{ args: ["test-webserver"], readinessProbe: { exec: { command: ["/bin/false"] }, periodSeconds: 1 } },
				{ restartPolicy: "Always" },
			),
		);
		const readinessProbe = { httpGet: { path: "/", port: 80 }, initialDelaySeconds: 5, periodSeconds: 1 };
		const good = await space.run(
			podOf(
				"good",
				{ args: ["test-webserver"], ports: [{ containerPort: 80 }], readinessProbe },
				{ restartPolicy: "Always" },
			),
		);
		const started = Date.parse(good.status.containerStatuses[0].state.running.startedAt);
		expect(Date.parse(condition(good, "Ready").lastTransitionTime) - started).toBeGreaterThanOrEqual(4000);
		const bad = await target().get(space.core("pods", "bad"));
		expect([isReady(bad), restarts(bad), restarts(good)]).toEqual([false, 0, 0]);
	});

	test.concurrent("liveness restarts: command, HTTP, gRPC", async () => {
		await using space = await target().namespace("liveness");
		const soon = { initialDelaySeconds: 3, periodSeconds: 1, failureThreshold: 1 };
		const pods = {
			exec: shell("echo ok >/tmp/health; sleep 4; rm -rf /tmp/health; sleep 600", {
				livenessProbe: { exec: { command: ["cat", "/tmp/health"] }, ...soon },
			}),
			http: { args: ["liveness"], livenessProbe: { httpGet: { path: "/healthz", port: 8080 }, ...soon } },
			grpc: { args: ["grpc-health-checking"], livenessProbe: { grpc: { port: 2333 }, ...soon } },
		};
		for (const [name, container] of Object.entries(pods))
			await target().post(space.core("pods"), podOf(name, container, { restartPolicy: "Always" }));
		for (const name of Object.keys(pods))
			await space.until(space.core("pods", name), (pod) => restarts(pod) >= 1, 60_000);
	}, 90_000);

	test.concurrent("liveness leaves healthy ones alone: command, TCP, HTTP, gRPC", async () => {
		await using space = await target().namespace("healthy");
		const often = { initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1 };
		const pods = {
			tcp: { args: ["liveness"], livenessProbe: { tcpSocket: { port: 8080 }, ...often } },
			http: { args: ["test-webserver"], livenessProbe: { httpGet: { path: "/", port: 80 }, ...often } },
			grpc: { args: ["grpc-health-checking"], livenessProbe: { grpc: { port: 5000 }, ...often } },
			// The last to start: once it was probed some times, so were the others.
			exec: shell("sleep 600", {
				livenessProbe: { exec: { command: ["sh", "-c", "echo probed >>/tmp/probes"] }, ...often },
			}),
		};
		for (const [name, container] of Object.entries(pods))
			await space.run(podOf(name, container, { restartPolicy: "Always" }));
		await eventually(async () => expect(Number(await space.exec("exec", "wc -l </tmp/probes"))).toBeGreaterThan(4));
		for (const pod of await space.pods()) expect([pod.metadata.name, restarts(pod)]).toEqual([pod.metadata.name, 0]);
	});

	slow.concurrent(
		"restart counts only rise",
		async () => {
			await using space = await target().namespace("rising");
			await target().post(
				space.core("pods"),
				podOf(
					"rising",
					{
						args: ["liveness"],
						livenessProbe: {
							httpGet: { path: "/healthz", port: 8080 },
							initialDelaySeconds: 5,
							failureThreshold: 1,
							periodSeconds: 3,
						},
					},
					{ restartPolicy: "Always" },
				),
			);
			await space.until(space.core("pods", "rising"), (pod) => restarts(pod) >= 4, 280_000);
		},
		300_000,
	);
});
