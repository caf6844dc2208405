/** Kinds that are stored but not acted on are validated as well. */
import { expect, test } from "vitest";
import { createFrom } from "./testing.ts";

const fields = (apiVersion: string, kind: string, more: object) => [
	...new Set(
		createFrom({ apiVersion, kind, metadata: { name: "x" }, ...more }).problems.map(
			(problem) => problem.split(": ")[0],
		),
	),
];

test.each<[string, string, object, string[]]>([
	[
		"node.k8s.io/v1",
		"RuntimeClass",
		{
			handler: "h",
			overhead: { podFixed: { cpu: "-1", beauty: "1", "example.com/gpu": "1" } },
			scheduling: { nodeSelector: { "b d": "x" }, tolerations: [{ key: "b d", operator: "Exists" }] },
		},
		["overhead.podFixed[cpu]", "overhead.podFixed[beauty]", "scheduling.nodeSelector", "scheduling.tolerations[0].key"],
	],
	[
		"storage.k8s.io/v1",
		"StorageClass",
		{ provisioner: "b d", allowedTopologies: [{ matchLabelExpressions: [{ key: "", values: [] }] }] },
		[
			"provisioner",
			"allowedTopologies[0].matchLabelExpressions[0].key",
			"allowedTopologies[0].matchLabelExpressions[0].values",
		],
	],
	[
		"storage.k8s.io/v1",
		"VolumeAttachment",
		{ spec: { attacher: "b d", nodeName: "N", source: {} } },
		["spec.attacher", "spec.nodeName", "spec.source"],
	],
	[
		"storage.k8s.io/v1",
		"CSIStorageCapacity",
		{ storageClassName: "", capacity: "-1", maximumVolumeSize: "-2" },
		["storageClassName", "capacity"],
	],
	[
		"storage.k8s.io/v1",
		"CSINode",
		{
			spec: {
				drivers: [
					{ name: "d", nodeID: "x".repeat(193), allocatable: { count: -1 }, topologyKeys: ["a", "a"] },
					{ name: "d", nodeID: "" },
				],
			},
		},
		[
			"spec.drivers[0].nodeID",
			"spec.drivers[0].allocatable.count",
			"spec.drivers[0]",
			"spec.drivers[1].nodeID",
			"spec.drivers[1].name",
		],
	],
	[
		"storage.k8s.io/v1",
		"CSIDriver",
		{
			spec: {
				tokenRequests: [{ audience: "a", expirationSeconds: 5 }, { audience: "a" }],
				nodeAllocatableUpdatePeriodSeconds: 5,
			},
		},
		[
			"spec.tokenRequests[0].expirationSeconds",
			"spec.tokenRequests[1].audience",
			"spec.nodeAllocatableUpdatePeriodSeconds",
		],
	],
	["storage.k8s.io/v1", "StorageClass", { provisioner: "p", parameters: { "": "x" } }, ["parameters"]],
	[
		"v1",
		"ResourceQuota",
		{ spec: { hard: { foo: "1", "example.com/foo": "1", "count/foos.example.com": "1", "hugepages-2Mi": "1" } } },
		["spec.hard[foo]"],
	],
	["v1", "ResourceQuota", { spec: { hard: { pods: "1", cpu: "1" }, scopes: ["BestEffort"] } }, ["spec.scopes"]],
	["v1", "ResourceQuota", { spec: { hard: { pods: "1", cpu: "1" }, scopes: ["NotBestEffort"] } }, []],
	["v1", "ResourceQuota", { spec: { scopes: ["Terminating", "NotTerminating"] } }, ["spec.scopes"]],
	["storage.k8s.io/v1", "VolumeAttributesClass", { driverName: "b d" }, ["driverName", "parameters"]],
	["v1", "LimitRange", { spec: { limits: [{ type: "Foo" }, { type: "example.com/foo" }] } }, ["spec.limits[0].type"]],
	[
		"networking.k8s.io/v1",
		"Ingress",
		{
			spec: {
				rules: [
					{
						host: "*.*.x",
						http: {
							paths: [{ path: "/", pathType: "Exact", backend: { service: { name: "B", port: { number: 1 } } } }],
						},
					},
					{ host: "*.example.com" },
				],
			},
		},
		["spec.rules[0].host", "spec.rules[0].http.paths[0].backend.service.name"],
	],
])("%s %s says what is wrong with it", (apiVersion, kind, more, wrong) => {
	expect(fields(apiVersion, kind, more)).toEqual(wrong);
});
