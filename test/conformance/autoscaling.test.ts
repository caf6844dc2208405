/** Autoscaling by what resource consumers use, as much as a controller spreads over them. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, type Namespace, slow } from "./harness.ts";
import { images } from "./objects.ts";

const consumer = "registry.k8s.io/e2e-test-images/resource-consumer:1.13";
const limited = (cpu: string | undefined, memory: string | undefined): Json => {
	const amounts = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
	return { requests: amounts, limits: amounts };
};

interface Load {
	millicores?: number;
	megabytes?: number;
}

/** Consumers, the controller that spreads requests over them, and a load that is asked for again before it runs out. */
class Consumers implements AsyncDisposable {
	readonly #space: Namespace;
	#load: Load = {};
	#timer: ReturnType<typeof setInterval> | undefined;

	constructor(space: Namespace) {
		this.#space = space;
	}

	async start(replicas: number, resources: Json, containers: Json[] = []): Promise<void> {
		const { target } = this.#space;
		const labels = { name: "consumers" };
		const template = {
			metadata: { labels },
			spec: { containers: [{ name: "consumers", image: consumer, resources }, ...containers] },
		};
		await target.post(this.#space.apps("deployments"), {
			metadata: { name: "consumers" },
			spec: { replicas, selector: { matchLabels: labels }, template },
		});
		await target.post(this.#space.core("services"), {
			metadata: { name: "consumers" },
			spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }], selector: labels },
		});
		const of = `--consumer-service-name=consumers`;
		const command = [
			"/agnhost",
			"resource-consumer-controller",
			of,
			`--consumer-service-namespace=${this.#space.name}`,
			"--consumer-port=80",
		];
		await target.post(this.#space.core("replicationcontrollers"), {
			metadata: { name: "controller" },
			spec: {
				replicas: 1,
				selector: { name: "controller" },
				template: {
					metadata: { labels: { name: "controller" } },
					spec: { containers: [{ name: "controller", image: images.agnhost, command }] },
				},
			},
		});
		await target.post(this.#space.core("services"), {
			metadata: { name: "controller" },
			spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }], selector: { name: "controller" } },
		});
		await this.replicas(replicas);
	}

	async consume(load: Load): Promise<void> {
		this.#load = load;
		clearInterval(this.#timer);
		await eventually(() => this.#ask());
		this.#timer = setInterval(() => void this.#ask().catch(() => {}), 30_200);
	}

	async #ask(): Promise<void> {
		const { millicores, megabytes } = this.#load;
		const proxy = `${this.#space.core("services", "controller:http")}/proxy`;
		const ask = async (what: string) => {
			const { status, body } = await this.#space.target.send("POST", `${proxy}/${what}`);
			expect({ status, body }).toMatchObject({ status: 200 });
			expect(body).not.toContain("Failed");
		};
		if (millicores !== undefined)
			await ask(`ConsumeCPU?millicores=${millicores}&durationSec=30&requestSizeMillicores=100`);
		if (megabytes !== undefined) await ask(`ConsumeMem?megabytes=${megabytes}&durationSec=30&requestSizeMegabytes=100`);
	}

	async scaleBy(metric: Json, minReplicas: number, maxReplicas: number, behavior?: Json): Promise<void> {
		await this.#space.target.post(this.#space.group("autoscaling/v2", "horizontalpodautoscalers"), {
			metadata: { name: "consumers" },
			spec: {
				// Upstream's tests name the version that was theirs once.
				scaleTargetRef: { apiVersion: "apps/v1beta2", kind: "Deployment", name: "consumers" },
				minReplicas,
				maxReplicas,
				metrics: [metric],
				behavior,
			},
		});
	}

	replicas(count: number, limitMs = 150_000): Promise<Json> {
		const path = this.#space.apps("deployments", "consumers");
		return this.#space.until(path, ({ status }) => (status.readyReplicas ?? 0) === count, limitMs);
	}

	async stays(count: number, forMs: number): Promise<void> {
		for (const endMs = Date.now() + forMs; Date.now() < endMs; ) {
			const { status } = await this.#space.target.get(this.#space.apps("deployments", "consumers"));
			expect(status.readyReplicas).toBe(count);
			await new Promise((resolve) => setTimeout(resolve, 5000));
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		clearInterval(this.#timer);
	}
}

const resource = (name: string, target: Json): Json => ({ type: "Resource", resource: { name, target } });
const utilization = (averageUtilization: number): Json => ({ type: "Utilization", averageUtilization });

conformance("HorizontalPodAutoscaler", "shared", (target) => {
	test("scales from one pod to two", async () => {
		await using space = await target().namespace("hpa-light");
		await using consumers = new Consumers(space);
		await consumers.start(1, limited("200m", undefined));
		await consumers.consume({ millicores: 150 });
		await consumers.scaleBy(resource("cpu", utilization(50)), 1, 2);
		await consumers.replicas(2);
	}, 200_000);

	slow(
		"by memory: from one pod to three, and with more to five",
		async () => {
			await using space = await target().namespace("hpa-memory");
			await using consumers = new Consumers(space);
			await consumers.start(1, limited("500m", "500Mi"));
			await consumers.consume({ megabytes: 250 });
			await consumers.scaleBy(resource("memory", utilization(20)), 1, 5);
			await consumers.replicas(3);
			await consumers.stays(3, 60_000);
			await consumers.consume({ megabytes: 700 });
			await consumers.replicas(5);
		},
		500_000,
	);

	slow(
		"by one container of two: up with it, and not with the other",
		async () => {
			await using space = await target().namespace("hpa-container");
			await using consumers = new Consumers(space);
			const sidecar = {
				name: "sidecar",
				image: consumer,
				command: ["/consumer", "-port=8081"],
				resources: limited("250m", undefined),
			};
			await consumers.start(1, limited("250m", undefined), [sidecar]);
			await consumers.consume({ millicores: 125 });
			const by = (container: string) => ({
				type: "ContainerResource",
				containerResource: { name: "cpu", container, target: utilization(20) },
			});
			await consumers.scaleBy(by("sidecar"), 1, 5);
			await consumers.stays(1, 60_000);
			await target().update(space.group("autoscaling/v2", "horizontalpodautoscalers", "consumers"), ({ spec }) => {
				spec.metrics = [by("consumers")];
			});
			await consumers.replicas(3);
			await consumers.consume({ millicores: 500 });
			await consumers.replicas(5);
		},
		600_000,
	);

	slow(
		"no faster down than the behavior says",
		async () => {
			await using space = await target().namespace("hpa-behavior");
			await using consumers = new Consumers(space);
			await consumers.start(3, limited("500m", "200Mi"));
			await consumers.consume({ millicores: 312 });
			const policies = [{ type: "Pods", value: 1, periodSeconds: 60 }];
			const behavior = { scaleDown: { policies, stabilizationWindowSeconds: 0 } };
			await consumers.scaleBy(resource("cpu", utilization(25)), 1, 10, behavior);
			await consumers.consume({ millicores: 62 });
			await consumers.replicas(2);
			const startMs = Date.now();
			await consumers.replicas(1);
			// What is seen at the one end and the other may be seconds old.
			expect(Date.now() - startMs).toBeGreaterThan(50_000);
		},
		500_000,
	);
});
