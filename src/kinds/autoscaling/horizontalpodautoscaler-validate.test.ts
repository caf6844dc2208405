import { expect, test } from "vitest";
import { createFrom } from "../testing.ts";

function problems(spec: object): string[] {
	const scaleTargetRef = { kind: "Deployment", name: "web" };
	const object = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "x" } };
	return createFrom({ ...object, spec: { scaleTargetRef, maxReplicas: 3, ...spec } }).problems;
}

const metric = (type: string, field: string, source: object) => ({ metrics: [{ type, [field]: source }] });
const value = { type: "Value", value: "1" };
const at = "spec.metrics[0]";

test.each<[string, object, string[]]>([
	["is right", {}, []],
	[
		"a wrong target",
		{ scaleTargetRef: { kind: "a/b", name: "" } },
		[
			"spec.scaleTargetRef.kind: Invalid value: \"a/b\": may not contain '/'",
			"spec.scaleTargetRef.name: Required value",
		],
	],
	[
		"no pods",
		{ minReplicas: 0 },
		[
			"spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
			"spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
		],
	],
	[
		"no type",
		{ metrics: [{}] },
		[
			`${at}.type: Required value: must specify a metric source type`,
			`${at}.type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
		],
	],
	[
		"an object without a name",
		metric("Object", "object", { describedObject: { kind: "Ingress" }, metric: { name: "a" }, target: value }),
		[`${at}.object.describedObject.name: Required value`],
	],
	[
		"an object by use",
		metric("Object", "object", {
			describedObject: { kind: "Ingress", name: "a" },
			metric: { name: "a" },
			target: { type: "Utilization", averageUtilization: 1 },
		}),
		[`${at}.object.target.averageValue: Required value: must set either a target value or averageValue`],
	],
	[
		"both values",
		metric("External", "external", { metric: { name: "a" }, target: { ...value, averageValue: "1" } }),
		[`${at}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`],
	],
	[
		"pods by value",
		metric("Pods", "pods", { metric: { name: "" }, target: value }),
		[
			`${at}.pods.metric.name: Required value: must specify a metric name`,
			`${at}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
		],
	],
	[
		"use and value",
		metric("Resource", "resource", {
			name: "cpu",
			target: { type: "Utilization", averageUtilization: 1, averageValue: "1" },
		}),
		[`${at}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`],
	],
	[
		"no container",
		metric("ContainerResource", "containerResource", {
			name: "cpu",
			target: { type: "Utilization", averageUtilization: 1 },
		}),
		[`${at}.containerResource.container: Required value: must specify a container`],
	],
	[
		"another way",
		metric("Resource", "resource", { name: "cpu", target: { type: "Guess", averageUtilization: 1 } }),
		[`${at}.resource.target.type: Invalid value: "Guess": must be either Utilization, Value, or AverageValue`],
	],
])("a HorizontalPodAutoscaler: %s", (_, spec, wrong) => {
	expect(problems(spec)).toEqual(wrong);
});
