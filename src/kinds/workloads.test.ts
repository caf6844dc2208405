import { describe, expect, test } from "vitest";
import type { KubeObject } from "../core/object.ts";
import { daemonSets } from "./apps/daemonset.ts";
import { deployments } from "./apps/deployment.ts";
import { statefulSets } from "./apps/statefulset.ts";
import type { Kind } from "./engine/kind.ts";
import type { DaemonSet, Deployment, PersistentVolumeClaim, StatefulSet } from "./generated/types.ts";
import { cells, createFrom, texts, updateProblems } from "./testing.ts";

const workload = (kind: string, spec: object = {}) => ({
	apiVersion: "apps/v1",
	kind,
	metadata: { name: "web" },
	spec: {
		selector: { matchLabels: { app: "web" } },
		template: {
			metadata: { labels: { app: "web" } },
			spec: { containers: [{ name: "c", image: "nginx:1" }] },
		},
		...spec,
	},
});
const problems = (kind: string, spec: object) => createFrom(workload(kind, spec)).problems;

describe("every workload that keeps pods running", () => {
	test.each(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])(
		"%s needs a selector that its template matches",
		(kind) => {
			expect(problems(kind, {})).toEqual([]);
			expect(problems(kind, { selector: { matchLabels: { app: "other" } } })).toEqual([
				'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
			]);
			expect(problems(kind, { selector: {} })).toEqual([
				`spec.selector: Invalid value: {}: empty selector is invalid for ${kind.toLowerCase()}`,
			]);
			expect(problems(kind, { selector: undefined })).toEqual([
				"spec.selector: Required value",
				'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
			]);
		},
	);

	test.each(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])("%s restarts its containers always", (kind) => {
		const template = {
			metadata: { labels: { app: "web" } },
			spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
		};
		expect(problems(kind, { template })).toEqual([
			'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
		]);
	});

	test("a selector stays", () => {
		const { object } = createFrom(workload("Deployment"));
		const found = updateProblems(object as Deployment, ({ spec }) => {
			spec.selector = { matchLabels: { app: "web", tier: "front" } };
			spec.template.metadata = { labels: { app: "web", tier: "front" } };
		});
		expect(found).toEqual([
			'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"front"}}: field is immutable',
		]);
	});
});

test("deployments have upstream's defaults, and may not stand still", () => {
	const { spec } = createFrom(workload("Deployment")).object as Deployment;
	expect(spec).toMatchObject({
		replicas: 1,
		revisionHistoryLimit: 10,
		progressDeadlineSeconds: 600,
		strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
	});
	const strategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } };
	expect(problems("Deployment", { strategy })).toEqual([
		'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
	]);
	expect(problems("Deployment", { strategy: { type: "Recreate", rollingUpdate: {} } })).toEqual([
		"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
	]);
});

test("daemon sets surge or do without, not both", () => {
	const { spec } = createFrom(workload("DaemonSet")).object as DaemonSet;
	expect(spec.updateStrategy).toEqual({ type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } });
	const updateStrategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };
	expect(problems("DaemonSet", { updateStrategy })).toEqual([
		"spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
	]);
});

describe("stateful sets", () => {
	const claims = [
		{
			metadata: { name: "data" },
			spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
		},
	];
	const set = () =>
		createFrom(workload("StatefulSet", { serviceName: "web", volumeClaimTemplates: claims })).object as StatefulSet;

	test("have upstream's defaults", () => {
		expect(set().spec).toMatchObject({
			replicas: 1,
			podManagementPolicy: "OrderedReady",
			revisionHistoryLimit: 10,
			updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
			persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
			volumeClaimTemplates: [
				{
					apiVersion: "v1",
					kind: "PersistentVolumeClaim",
					spec: { volumeMode: "Filesystem" },
					status: { phase: "Pending" },
				},
			],
		});
	});

	test("may change what updates carry out", () => {
		const found = updateProblems(set(), ({ spec }) => {
			spec.replicas = 3;
			spec.ordinals = { start: 1 };
			spec.minReadySeconds = 5;
			spec.revisionHistoryLimit = 2;
			spec.updateStrategy = { type: "OnDelete" };
			spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Delete", whenScaled: "Delete" };
			for (const container of spec.template.spec.containers) container.image = "nginx:2";
		});
		expect(found).toEqual([]);
	});

	test("start one after the other or all at once, and may keep all revisions", () => {
		expect(problems("StatefulSet", { podManagementPolicy: "Backwards" })).toEqual([
			`spec.podManagementPolicy: Invalid value: "Backwards": must be 'OrderedReady' or 'Parallel'`,
		]);
		const { problems: none, warnings } = createFrom(workload("StatefulSet", { revisionHistoryLimit: -1 }));
		expect(none).toEqual([]);
		expect(warnings).toEqual([
			"spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
		]);
	});

	test("may change nothing else", () => {
		expect(
			updateProblems(set(), ({ spec }) => {
				spec.serviceName = "other";
			}),
		).toEqual([
			"spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
		]);
	});
});

describe("services", () => {
	const service = (spec: object) => ({ apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec });
	const create = (spec: object) => createFrom(service(spec));
	const ports = [{ port: 80 }];

	test("have upstream's defaults", () => {
		expect(create({ ports }).object).toMatchObject({
			spec: {
				type: "ClusterIP",
				sessionAffinity: "None",
				internalTrafficPolicy: "Cluster",
				ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
			},
			status: { loadBalancer: {} },
		});
		expect(create({ ports, clusterIP: "None" }).object).toMatchObject({ spec: { clusterIPs: ["None"] } });
	});

	test.each<[string, object, string[]]>([
		["no ports", {}, ["spec.ports: Required value"]],
		["no ports, headless", { clusterIP: "None" }, []],
		[
			"ports without names",
			{ ports: [{ port: 80 }, { port: 81 }] },
			["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
		],
		[
			"a node port of no node",
			{ ports: [{ port: 80, nodePort: 30_000 }] },
			["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
		],
		["no name elsewhere", { type: "ExternalName" }, ["spec.externalName: Required value"]],
		[
			"an unknown type",
			{ type: "Magic", ports },
			[
				'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
			],
		],
	])("%s", (_name, spec, expected) => {
		expect(create(spec).problems).toEqual(expected);
	});

	const given = () =>
		create({ type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }], clusterIP: "10.0.0.1" }).object;
	test("keep what the server gave them, when an update leaves it out", () => {
		expect(
			updateProblems(given(), (object) => {
				Object.assign(object, { spec: { type: "NodePort", ports: [{ port: 80 }] } });
			}),
		).toEqual([]);
		expect(
			updateProblems(given(), (object) => Object.assign(object, { spec: { ports, clusterIP: "10.0.0.2" } })),
		).toEqual(['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set']);
	});

	test("give up node ports when they are for the cluster only", () => {
		expect(
			updateProblems(given(), (object) => Object.assign(Reflect.get(object, "spec"), { type: "ClusterIP" })),
		).toEqual([]);
	});

	test("show ports and addresses", () => {
		expect(cells(given(), 0)).toMatchObject({
			Type: "NodePort",
			"Cluster-IP": "10.0.0.1",
			"External-IP": "<none>",
			"Port(s)": "80:30080/TCP",
			Selector: "<none>",
		});
	});
});

describe("claims", () => {
	const claim = (size = "1Gi") =>
		createFrom({
			apiVersion: "v1",
			kind: "PersistentVolumeClaim",
			metadata: { name: "data" },
			spec: { accessModes: ["ReadWriteOnce"], storageClassName: "local", resources: { requests: { storage: size } } },
		});
	const bound = (): PersistentVolumeClaim => {
		const { object } = claim();
		const stored = object as PersistentVolumeClaim;
		return {
			...stored,
			spec: { ...stored.spec, volumeName: "pv" },
			status: { phase: "Bound", capacity: { storage: "1Gi" } },
		};
	};
	const resize = (storage: string) => (object: PersistentVolumeClaim) => {
		object.spec.resources = { requests: { storage } };
	};

	test("need a size and a way to be mounted", () => {
		const { problems: found } = createFrom({
			apiVersion: "v1",
			kind: "PersistentVolumeClaim",
			metadata: { name: "d" },
		});
		expect(found).toEqual([
			"spec.accessModes: Required value: at least 1 access mode is required",
			"spec.resources[storage]: Required value",
		]);
		expect(claim("0").problems).toEqual(['spec.resources[storage]: Invalid value: "0": must be greater than zero']);
	});

	test("can be bound once, and grow when bound", () => {
		const { object } = claim();
		const fixed =
			"spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n";
		expect(
			updateProblems(object as PersistentVolumeClaim, ({ spec }) => {
				spec.volumeName = "pv";
			}),
		).toEqual([]);
		expect(updateProblems(object as PersistentVolumeClaim, resize("2Gi"))).toEqual([fixed]);
		expect(updateProblems(bound(), resize("2Gi"))).toEqual([]);
		expect(updateProblems(bound(), resize("500Mi"))).toEqual([
			"spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
		]);
		expect(
			updateProblems(bound(), ({ spec }) => {
				spec.volumeName = "other";
			}),
		).toEqual([fixed]);
	});
});

test("a Deployment's labels are not changed by way of its status", () => {
	const old = { metadata: { labels: { a: "1" } } } as unknown as Deployment;
	const sent = { metadata: { labels: { a: "2" } } } as unknown as Deployment;
	deployments.prepareForStatusUpdate?.(sent, old, { now: "2026-01-01T00:00:00Z" });
	expect(sent.metadata.labels).toEqual({ a: "1" });
});

test("what a status counts is not negative, and collisions are not taken back", () => {
	for (const { kind, validateStatusUpdate } of [deployments, daemonSets, statefulSets] as Kind<KubeObject>[]) {
		const { object } = createFrom(workload(kind));
		const found = (status: object, old: object) =>
			texts(
				validateStatusUpdate?.({ ...object, status } as KubeObject, { ...object, status: old } as KubeObject) ?? [],
			);
		expect(found({ collisionCount: 1, observedGeneration: -1 }, { collisionCount: 2 }).sort(), kind).toEqual([
			"status.collisionCount: Invalid value: 1: cannot be decremented",
			"status.observedGeneration: Invalid value: -1: must be greater than or equal to 0",
		]);
		expect(found({ collisionCount: 2 }, { collisionCount: 1 }), kind).toEqual([]);
	}
	const { object } = createFrom(workload("Deployment"));
	const terminating = { ...object, status: { terminatingReplicas: -1 } } as Deployment;
	expect(texts(deployments.validateStatusUpdate?.(terminating, terminating) ?? [])).toEqual([
		"status.terminatingReplicas: Invalid value: -1: must be greater than or equal to 0",
	]);
});
