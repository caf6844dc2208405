import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import type { Pod, V2HorizontalPodAutoscaler } from "../../kinds/generated/types.ts";
import { planCases } from "../testing/cases.ts";
import { staticInformerCache } from "../testing/static-informer-cache.ts";
import type { History } from "./bounds.ts";
import { horizontalPodAutoscalerController } from "./controller.ts";
import type { MetricsSource } from "./metrics.ts";

const registry = createRegistry(catalog);
const nowMs = Date.UTC(2026, 0, 1);

/** Usage from the pods' annotations: `cpu: 100m` for all containers, or `cpu.web: 100m` for one. */
const fromAnnotations: MetricsSource = {
	podUsage({ metadata, spec }) {
		const said = metadata.annotations ?? {};
		const containers: Record<string, Record<string, string>> = {};
		for (const { name } of spec.containers)
			for (const resource of ["cpu", "memory"]) {
				const quantity = said[`${resource}.${name}`] ?? said[resource];
				if (quantity !== undefined) containers[name] = { ...containers[name], [resource]: quantity };
			}
		if (Object.keys(containers).length === 0) return undefined;
		return { atMs: nowMs - 5000, windowMs: 15_000, containers };
	},
	podMetric: ({ metadata }, { name }) => metadata.annotations?.[name],
	objectMetric: (_namespace, _object, { name }) => (name === "requests" ? "30" : undefined),
	externalMetric: (_namespace, { name }) => (name === "queue" ? ["100", "50"] : undefined),
};

planCases(
	horizontalPodAutoscalerController({ registry, metrics: fromAnnotations }),
	new URL("./testdata/", import.meta.url),
);
planCases(
	horizontalPodAutoscalerController({ registry, metrics: {} }),
	new URL("./testdata/without-metrics/", import.meta.url),
);

/** Syncs a target whose pods each use `cpu`, every 15 seconds, and carries out the plan. */
function run(
	behavior: V2HorizontalPodAutoscaler["spec"]["behavior"],
	{ from, cpu, more = {} }: { from: number; cpu: (step: number, replicas: number) => number; more?: object },
	steps: number,
): number[] {
	const controller = horizontalPodAutoscalerController({ registry, metrics: fromAnnotations });
	const meta = (name: string) => ({
		name,
		namespace: "default",
		uid: name,
		resourceVersion: "1",
		creationTimestamp: timestamp(nowMs - 3_600_000),
	});
	let replicas = from;
	let memory: History | undefined;
	const sizes: number[] = [];
	for (let step = 0; step < steps; step++) {
		const labels = { app: "web" };
		const deployment = {
			apiVersion: "apps/v1",
			kind: "Deployment",
			metadata: meta("web"),
			spec: { replicas, selector: { matchLabels: labels } },
			status: { replicas },
		};
		const pods = Array.from({ length: replicas }, (_, index) => ({
			apiVersion: "v1",
			kind: "Pod",
			metadata: { ...meta(`web-${index}`), labels, annotations: { cpu: `${cpu(step, replicas)}m` } },
			spec: { containers: [{ name: "c", resources: { requests: { cpu: "100m" } } }] },
			status: {
				phase: "Running",
				startTime: timestamp(nowMs - 3_600_000),
				conditions: [{ type: "Ready", status: "True", lastTransitionTime: timestamp(nowMs - 3_600_000) }],
			},
		}));
		const autoscaler = {
			apiVersion: "autoscaling/v2",
			kind: "HorizontalPodAutoscaler",
			metadata: meta("web"),
			spec: {
				scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
				minReplicas: 1,
				maxReplicas: 100,
				metrics: [
					{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
				],
				...(behavior === undefined ? {} : { behavior }),
				...more,
			},
		};
		const objects: KubeObject[] = [deployment, autoscaler, ...(pods as Pod[])];
		const state = controller.gather("default/web", staticInformerCache(objects, controller));
		if (state === undefined) throw new Error("there is an autoscaler");
		const context = { nowMs: nowMs + step * 15_000, random: () => 0.5, waitedMs: 0, ...(memory && { memory }) };
		const plan = controller.plan(state, context);
		({ memory } = plan);
		for (const action of plan.actions)
			if (action.do === "patch" && "patch" in action.patch)
				replicas = (action.patch.patch as { spec: { replicas: number } }).spec.replicas;
		sizes.push(replicas);
	}
	return sizes;
}

/** The total usage of all pods, regardless of their number. */
const load = (milli: (step: number) => number) => (step: number, replicas: number) => milli(step) / replicas;

describe("over time", () => {
	test("without a behavior it doubles at most, and waits five minutes before it takes pods away", () => {
		const sizes = run(undefined, { from: 1, cpu: load((step) => (step < 4 ? 960 : 100)) }, 30);
		expect(sizes.slice(0, 4)).toEqual([4, 8, 16, 20]);
		// The last sync that asked for 20 was at 0:45.
		expect(sizes.slice(4, 24).every((size) => size === 20)).toBe(true);
		expect(sizes.slice(24, 26)).toEqual([2, 2]);
	});

	const pods = (value: number, periodSeconds: number) => ({ type: "Pods", value, periodSeconds });
	const percent = (value: number, periodSeconds: number) => ({ type: "Percent", value, periodSeconds });

	test("scale up policies count what was added in their period", () => {
		const up = { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [pods(2, 60)] };
		const sizes = run({ scaleUp: up, scaleDown: {} }, { from: 1, cpu: load(() => 1000) }, 9);
		expect(sizes).toEqual([3, 3, 3, 3, 5, 5, 5, 5, 7]);
	});

	test("of several policies the one with the largest change counts, unless it is to be the smallest", () => {
		const policies = [pods(1, 15), percent(100, 15)];
		const rules = (selectPolicy: string) => ({ scaleUp: { stabilizationWindowSeconds: 0, selectPolicy, policies } });
		expect(run(rules("Max"), { from: 4, cpu: load(() => 5000) }, 3)).toEqual([8, 16, 32]);
		expect(run(rules("Min"), { from: 4, cpu: load(() => 5000) }, 3)).toEqual([5, 6, 7]);
		expect(run(rules("Disabled"), { from: 4, cpu: load(() => 5000) }, 3)).toEqual([4, 4, 4]);
	});

	test("scale down policies and windows", () => {
		const down = { stabilizationWindowSeconds: 30, selectPolicy: "Max", policies: [percent(50, 60)] };
		const sizes = run({ scaleUp: {}, scaleDown: down }, { from: 16, cpu: load(() => 50) }, 10);
		// The initial number counts as a recommendation for half a minute.
		expect(sizes).toEqual([16, 16, 8, 8, 8, 8, 4, 4, 4, 4]);
	});

	test("a scale up window takes the lowest recommendation within it", () => {
		const up = { stabilizationWindowSeconds: 60, selectPolicy: "Max", policies: [percent(1000, 15)] };
		const sizes = run({ scaleUp: up, scaleDown: {} }, { from: 2, cpu: load((step) => 500 + step * 100) }, 8);
		expect(sizes.slice(0, 4)).toEqual([2, 2, 2, 2]);
		// The recommendation of 0:15; that of 0:00 is a minute old.
		expect(sizes[4]).toBe(12);
	});
});
