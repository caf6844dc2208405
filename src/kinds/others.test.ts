import { describe, expect, test } from "vitest";
import type { KubeObject } from "../core/object.ts";
import { deepCopy } from "../core/object.ts";
import { parseTimestamp } from "../core/time/clock.ts";
import { catalog, lookupKind, lookupResource } from "./catalog.ts";
import { createRegistry, forEachKind, ofAllKinds } from "./engine/registry.ts";
import type { Event, EventsEvent, HorizontalPodAutoscaler, Secret } from "./generated/types.ts";
import { cells, createFrom, updateProblems } from "./testing.ts";

const nowMs = parseTimestamp("2026-01-01T01:00:00Z");
const create = (apiVersion: string, kind: string, more: object, name = "x") =>
	createFrom({ apiVersion, kind, metadata: { name }, ...more });
const row = (apiVersion: string, kind: string, more: object, status: object = {}) =>
	cells({ ...create(apiVersion, kind, more).object, ...status }, nowMs);

/** The object as read by a client of an older version. */
function readAs(object: KubeObject, apiVersion: string): KubeObject {
	const copy = deepCopy(object);
	lookupKind(apiVersion, object.kind)?.served?.fromStorage(copy);
	return copy;
}

describe("tables", () => {
	test("nodes show readiness, roles and addresses", () => {
		const status = {
			status: {
				conditions: [{ type: "Ready", status: "True" }],
				addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
				nodeInfo: { kubeletVersion: "v1.36.0" },
			},
		};
		const node = { metadata: { name: "n", labels: { "node-role.kubernetes.io/control-plane": "" } } };
		expect(row("v1", "Node", { ...node, spec: { unschedulable: true } }, status)).toMatchObject({
			Status: "Ready,SchedulingDisabled",
			Roles: "control-plane",
			Age: "60m",
			Version: "v1.36.0",
			"Internal-IP": "10.0.0.1",
			"External-IP": "<none>",
		});
		expect(row("v1", "Node", {})).toMatchObject({ Status: "Unknown", Roles: "<none>" });
	});

	test("events show when, what and to whom", () => {
		const event = {
			involvedObject: { kind: "Pod", name: "web-0", namespace: "default", fieldPath: "spec.containers{c}" },
			type: "Normal",
			reason: "Started",
			message: "Container started\n",
			lastTimestamp: "2026-01-01T00:59:30Z",
			firstTimestamp: "2026-01-01T00:50:00Z",
			source: { component: "kubelet", host: "n1" },
			count: 3,
		};
		expect(row("v1", "Event", event)).toEqual({
			"Last Seen": "30s",
			Type: "Normal",
			Reason: "Started",
			Object: "pod/web-0",
			Subobject: "spec.containers{c}",
			Source: "kubelet, n1",
			Message: "Container started",
			"First Seen": "10m",
			Count: 3,
			Name: "x",
		});
	});

	test("the default storage class is marked", () => {
		const metadata = { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
		expect(row("storage.k8s.io/v1", "StorageClass", { metadata, provisioner: "p" })).toMatchObject({
			Name: "local (default)",
			ReclaimPolicy: "Delete",
			VolumeBindingMode: "Immediate",
			AllowVolumeExpansion: false,
		});
	});

	test("endpoints and slices show the first three", () => {
		const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
		const subsets = [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 80 }] }];
		expect(row("v1", "Endpoints", { subsets })["Endpoints"]).toBe("10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...");
		const slice = {
			addressType: "IPv4",
			endpoints: addresses.map((each) => ({ addresses: [each] })),
			ports: [{ port: 80 }],
		};
		expect(row("discovery.k8s.io/v1", "EndpointSlice", slice)).toMatchObject({
			AddressType: "IPv4",
			Ports: "80",
			Endpoints: "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
		});
	});

	test("autoscalers name one source a metric, and no tolerance below zero", () => {
		const target = { type: "Utilization", averageUtilization: 50 };
		const resource = { name: "cpu", target };
		const problems = (metric: object, behavior: object = {}) =>
			createFrom({
				apiVersion: "autoscaling/v2",
				kind: "HorizontalPodAutoscaler",
				metadata: { name: "a" },
				spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "a" }, metrics: [metric], behavior },
			}).problems;
		expect(problems({ type: "Resource", resource, containerResource: { ...resource, container: "c" } })).toEqual([
			"spec.metrics[0].containerResource: Forbidden: must populate the given metric source only",
		]);
		expect(problems({ type: "Resource", resource }, { scaleUp: { tolerance: "-0.1" } })).toEqual([
			'spec.behavior.scaleUp.tolerance: Invalid value: "-100m": must be greater than or equal to 0',
		]);
		expect(problems({ type: "Resource", resource }, { scaleDown: { tolerance: "0" } })).toEqual([]);
	});
	test("autoscalers show metrics and targets", () => {
		const spec = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3 };
		expect(row("autoscaling/v2", "HorizontalPodAutoscaler", { spec })).toMatchObject({
			Reference: "Deployment/web",
			Targets: "cpu: <unknown>/80%",
			MinPods: "1",
			MaxPods: 3,
			Replicas: 0,
		});
	});

	test("every kind's table has the name among its columns", () => {
		for (const kind of catalog) expect(kind.columns.filter((column) => column.format === "name")).toHaveLength(1);
	});
});

describe("versions side by side", () => {
	test("events.k8s.io/v1 calls fields otherwise", () => {
		const { object, problems } = createFrom({
			apiVersion: "events.k8s.io/v1",
			kind: "Event",
			metadata: { name: "e", namespace: "default" },
			regarding: { kind: "Pod", name: "p", namespace: "default" },
			note: "hello",
			reason: "R",
			eventTime: "2026-01-01T00:00:00.000000Z",
			reportingController: "cox",
			reportingInstance: "cox-1",
			action: "Acting",
		});
		expect(problems).toEqual([]);
		expect(object as Event).toMatchObject({
			apiVersion: "v1",
			involvedObject: { kind: "Pod", name: "p" },
			message: "hello",
			reportingComponent: "cox",
		});
		expect(readAs(object, "events.k8s.io/v1") as EventsEvent).toMatchObject({
			apiVersion: "events.k8s.io/v1",
			regarding: { kind: "Pod", name: "p" },
			note: "hello",
			reportingController: "cox",
		});
	});

	test("autoscaling/v1 keeps in annotations what it cannot say", () => {
		const { object } = createFrom({
			apiVersion: "autoscaling/v2",
			kind: "HorizontalPodAutoscaler",
			metadata: { name: "web" },
			spec: {
				scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
				maxReplicas: 3,
				metrics: [
					{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
					{ type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
				],
			},
		});
		const old = readAs(object, "autoscaling/v1") as HorizontalPodAutoscaler;
		expect(old.spec).toMatchObject({ targetCPUUtilizationPercentage: 50, maxReplicas: 3 });
		const back = deepCopy(old) as KubeObject;
		lookupKind("autoscaling/v1", "HorizontalPodAutoscaler")?.served?.toStorage(back);
		expect(back).toEqual(object);
	});

	test("an empty selector of policy/v1beta1 selects nothing", () => {
		const { object, warnings } = create("policy/v1beta1", "PodDisruptionBudget", {
			spec: { minAvailable: 1, selector: {} },
		});
		expect(Reflect.get(object, "spec").selector.matchExpressions).toHaveLength(1);
		expect(Reflect.get(readAs(object, "policy/v1beta1"), "spec").selector).toEqual({});
		expect(warnings).toEqual([
			"policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+, unavailable in v1.25+; use policy/v1 PodDisruptionBudget",
		]);
	});

	test("topology of discovery.k8s.io/v1beta1 becomes zone and node", () => {
		const { object, problems } = create("discovery.k8s.io/v1beta1", "EndpointSlice", {
			addressType: "IPv4",
			endpoints: [
				{ addresses: ["10.0.0.1"], topology: { "topology.kubernetes.io/zone": "z", "kubernetes.io/hostname": "n" } },
			],
		});
		expect(problems).toEqual([]);
		expect(Reflect.get(object, "endpoints")).toEqual([{ addresses: ["10.0.0.1"], zone: "z", nodeName: "n" }]);
	});
});

describe("the registry", () => {
	test("finds kinds by path and by object, in all their versions", () => {
		expect(lookupResource("apps", "v1", "deployments")?.served).toBeUndefined();
		expect(lookupResource("extensions", "v1beta1", "deployments")?.served?.version).toBe("v1beta1");
		expect(lookupKind("v1", "Pod")?.kind.plural).toBe("pods");
		expect(lookupKind("apps/v1", "Pod")).toBeUndefined();
	});

	test("lets kinds join and leave", () => {
		const registry = createRegistry(catalog);
		const pod = lookupKind("v1", "Pod")?.kind;
		if (pod === undefined) throw new Error("no pods");
		registry.add({ ...pod, group: "example.com", plural: "widgets", kind: "Widget" });
		expect(registry.resource("example.com", "v1", "widgets")?.kind.kind).toBe("Widget");
		expect(registry.groupKind("example.com", "Widget")?.plural).toBe("widgets");
		registry.remove({ group: "example.com", plural: "widgets" });
		expect(registry.kind("example.com/v1", "Widget")).toBeUndefined();
		expect(registry.all()).toHaveLength(catalog.length);
	});

	test("tells who follows it which kinds come, go, and are replaced", () => {
		const registry = createRegistry(catalog);
		const pod = lookupKind("v1", "Pod")?.kind;
		if (pod === undefined) throw new Error("no pods");
		const told: string[] = [];
		const count = ofAllKinds(registry, (all) => all.length);
		expect(count()).toBe(catalog.length);
		const stop = forEachKind(registry, (kind) => {
			if (kind.plural !== "widgets") return undefined;
			told.push(`begin ${kind.singular}`);
			return () => told.push(`end ${kind.singular}`);
		});
		const widget = { ...pod, group: "example.com", plural: "widgets", kind: "Widget" };
		registry.add({ ...widget, singular: "one" });
		expect(count()).toBe(catalog.length + 1);
		registry.add({ ...widget, singular: "two" });
		registry.remove({ group: "example.com", plural: "none" });
		registry.remove(widget);
		registry.add({ ...widget, singular: "three" });
		stop();
		registry.remove(widget);
		expect(told).toEqual(["begin one", "end one", "begin two", "end two", "begin three", "end three"]);
	});
});

describe("configuration", () => {
	test("a secret's plain text is stored encoded", () => {
		const secret = create("v1", "Secret", { stringData: { password: "pässword" }, data: { user: "YQ==" } })
			.object as Secret;
		expect(secret).toMatchObject({ type: "Opaque", data: { user: "YQ==", password: "cMOkc3N3b3Jk" } });
		expect(secret.stringData).toBeUndefined();
	});

	test("secrets of a type have its keys", () => {
		expect(create("v1", "Secret", { type: "kubernetes.io/tls" }).problems).toEqual([
			"data[tls.crt]: Required value",
			"data[tls.key]: Required value",
		]);
	});

	test("what is immutable stays so", () => {
		const { object } = create("v1", "ConfigMap", { immutable: true, data: { a: "1" } });
		expect(updateProblems(object, (next) => Object.assign(next, { data: { a: "2" } }))).toEqual([
			"data: Forbidden: field is immutable when `immutable` is set",
		]);
		expect(updateProblems(object, (next) => Object.assign(next, { immutable: false }))).toEqual([
			"immutable: Forbidden: field is immutable when `immutable` is set",
		]);
	});

	test("keys are file names", () => {
		expect(create("v1", "ConfigMap", { data: { "a/b": "" } }).problems[0]).toMatch(
			/^data\[a\/b\]: Invalid value: "a\/b": a valid config key/,
		);
	});

	test("a namespace is labelled with its name and finalized", () => {
		expect(create("v1", "Namespace", {}, "team").object).toMatchObject({
			metadata: { labels: { "kubernetes.io/metadata.name": "team" } },
			spec: { finalizers: ["kubernetes"] },
			status: { phase: "Active" },
		});
	});

	test("priorities are bounded and stay", () => {
		expect(create("scheduling.k8s.io/v1", "PriorityClass", { value: 2_000_000_000 }).problems).toEqual([
			"value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
		]);
		const { object } = create("scheduling.k8s.io/v1", "PriorityClass", { value: 5 });
		expect(updateProblems(object, (next) => Object.assign(next, { value: 6 }))).toEqual([
			"value: Forbidden: may not be changed in an update.",
		]);
	});

	test("a budget names one bound", () => {
		const spec = { minAvailable: 1, maxUnavailable: "50%" };
		expect(create("policy/v1", "PodDisruptionBudget", { spec }).problems).toEqual([
			'spec: Invalid value: {"minAvailable":1,"maxUnavailable":"50%"}: minAvailable and maxUnavailable cannot be both set',
		]);
	});

	test("a role binding keeps its role", () => {
		const binding = create("rbac.authorization.k8s.io/v1", "RoleBinding", {
			roleRef: { kind: "Role", name: "reader" },
			subjects: [{ kind: "User", name: "anna" }],
		});
		expect(binding.problems).toEqual([]);
		expect(
			updateProblems(binding.object, (next) => Object.assign(Reflect.get(next, "roleRef"), { name: "writer" })),
		).toEqual([
			'roleRef: Invalid value: {"kind":"Role","name":"writer","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
		]);
	});
});

describe("events.k8s.io/v1 is stricter than the core group's events", () => {
	const strict = lookupResource("events.k8s.io", "v1", "events")?.served;
	const event = {
		apiVersion: "v1",
		kind: "Event",
		metadata: { name: "e", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
		eventTime: "2026-01-01T00:00:00.000000Z",
		type: "Normal",
	};

	test.each([
		[{ eventTime: undefined }, ["eventTime"]],
		[{ type: "Odd" }, ["type"]],
		[{ count: 2, source: { host: "h" } }, ["count", "source"]],
		[{ series: { count: 1 } }, ["series.count", "series.lastObservedTime"]],
		[{}, []],
	])("%j", (more, fields) => {
		expect(strict?.validate?.({ ...event, ...more }).map(({ field }) => field)).toEqual(fields);
	});

	test("nothing but the series may change", () => {
		const series = { count: 2, lastObservedTime: "2026-01-01T00:00:01.000000Z" };
		expect(strict?.validate?.({ ...event, series } as typeof event, event)).toEqual([]);
		expect(strict?.validate?.({ ...event, type: "Warning" } as typeof event, event)).toMatchObject([{ field: "type" }]);
	});
});
