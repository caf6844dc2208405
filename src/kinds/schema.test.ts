import { describe, expect, test } from "vitest";
import { deepFreeze } from "../core/object.ts";
import { decode } from "./schema.ts";

const pod = (spec: object) => ({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec });
const field = (found: ReturnType<typeof decode>, path: string): unknown => {
	let value: unknown = found.object;
	for (const key of path.split("."))
		value = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
	return value;
};

describe("decoding", () => {
	test("drops fields that the type lacks, and says where", () => {
		const found = decode(pod({ containers: [{ name: "c", foo: 1 }], metadata: {} }), "Pod");
		expect(found.unknownFields).toEqual(["spec.containers[0].foo", "spec.metadata"]);
		expect(field(found, "spec.containers.0")).toEqual({ name: "c" });
	});

	test("reports values of the wrong type in upstream's words", () => {
		const found = decode(
			pod({ containers: [{ name: "c", env: [{ name: "A", value: 1 }], stdin: "yes" }], volumes: {} }),
			"Pod",
		);
		expect(found.problems.map((problem) => problem.message)).toEqual([
			"json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string",
			"json: cannot unmarshal string into Go struct field Container.spec.containers.stdin of type bool",
			"json: cannot unmarshal object into Go struct field PodSpec.spec.volumes of type []v1.Volume",
		]);
		expect(found.problems[0]?.field).toBe("spec.containers[0].env[0].value");
	});

	test("refuses numbers that are no integers or out of range", () => {
		const found = decode(pod({ containers: [], priority: 2 ** 31, activeDeadlineSeconds: 1.5 }), "Pod");
		expect(found.problems.map((problem) => problem.message)).toEqual([
			"json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32",
			"json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
		]);
	});

	test("brings quantities into their stored form, and accepts numbers for them", () => {
		const found = decode(
			pod({ containers: [{ name: "c", resources: { limits: { cpu: 0.5, memory: "1024Mi" } } }] }),
			"Pod",
		);
		expect(field(found, "spec.containers.0.resources.limits")).toEqual({ cpu: "500m", memory: "1Gi" });
	});

	test("brings times into UTC with whole seconds, or six digits", () => {
		const meta = { name: "l", creationTimestamp: "2026-01-01T02:00:00.5+02:00" };
		const found = decode({ metadata: meta, spec: { renewTime: "2026-01-01T00:00:00.5Z" } }, "Lease");
		expect(found.object.metadata.creationTimestamp).toBe("2026-01-01T00:00:00Z");
		expect(field(found, "spec.renewTime")).toBe("2026-01-01T00:00:00.500000Z");
		expect(decode({ spec: { renewTime: "soon" } }, "Lease").problems[0]?.message).toContain('parsing time "soon"');
	});

	test("takes null, an empty list and an empty map for absent", () => {
		const found = decode(
			{ metadata: { name: "a", creationTimestamp: null, labels: {} }, spec: { containers: [], tolerations: [] } },
			"Pod",
		);
		expect(found.object).toEqual({ metadata: { name: "a" }, spec: { containers: [] } });
	});

	test("keeps empty structures, which mean something", () => {
		const found = decode(pod({ containers: [], volumes: [{ name: "v", emptyDir: {} }] }), "Pod");
		expect(field(found, "spec.volumes.0")).toEqual({ name: "v", emptyDir: {} });
	});

	test("fills in required scalars, metadata and spec, unless the object is a part", () => {
		expect(decode({}, "DaemonSet").object).toEqual({ metadata: {}, spec: {} });
		expect(field(decode({ status: {} }, "DaemonSet"), "status.numberReady")).toBe(0);
		expect(decode({ status: {} }, "DaemonSet", undefined, { partial: true }).object).toEqual({ status: {} });
	});

	test("checks base64", () => {
		expect(decode({ data: { a: "YQ==" } }, "Secret").problems).toEqual([]);
		expect(decode({ data: { a: "plain text" } }, "Secret").problems[0]?.message).toBe(
			"illegal base64 data at input byte 5",
		);
	});

	test("leaves free-form values alone", () => {
		const data = { spec: { replicas: null, list: [] } };
		expect(field(decode({ data, revision: 1 }, "ControllerRevision"), "data")).toEqual(data);
	});

	test("shares nothing with what it decodes, and does not trip over inherited names", () => {
		const sent = deepFreeze(pod({ containers: [{ name: "c" }], constructor: {} }));
		const found = decode(sent, "Pod");
		expect(found.unknownFields).toEqual(["spec.constructor"]);
		found.object.metadata.name = "b";
		expect(sent.metadata.name).toBe("a");
	});

	test("refuses what is no object", () => {
		expect(decode([], "Pod").problems[0]?.message).toBe("json: cannot unmarshal array into Go value of type v1.Pod");
	});
});

test("a schema inside of items or additionalProperties is decoded like every other", () => {
	const sent = {
		items: { type: "object", additionalProperties: { type: "string", odd: 1 } },
		additionalProperties: false,
		properties: { list: { items: [{ type: "string" }, { maxLength: "5" }] } },
	};
	const { object, problems, unknownFields } = decode(sent, "JSONSchemaProps");
	expect(unknownFields).toEqual(["items.additionalProperties.odd"]);
	expect(problems.map(({ field }) => field)).toEqual(["properties.list.items[1].maxLength"]);
	expect(object).toMatchObject({ items: { additionalProperties: { type: "string" } }, additionalProperties: false });
});
