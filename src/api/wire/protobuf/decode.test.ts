import { describe, expect, test } from "vitest";
import { WireWriter } from "../../../core/protobuf/wire-writer.ts";
import { testApi } from "../../testing/test-api.ts";
import { decodeProtobuf } from "./decode.ts";

type Part = [number: number, value: string | number | Buffer];

/** A message of fields: numbers as varints, everything else with its length. */
function message(...parts: Part[]): Buffer {
	const writer = new WireWriter();
	for (const [number, value] of parts) {
		if (typeof value === "number") writer.integer(number, value);
		else writer.raw(number, Buffer.from(value));
	}
	return writer.bytes();
}

const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
	Buffer.concat([Buffer.from("k8s\0"), message([1, message([1, apiVersion], [2, kind])], [2, raw])]);

test("maps, bytes, times and metadata", () => {
	const metadata = message([1, "a"], [5, ""], [8, Buffer.alloc(0)], [11, message([1, "app"], [2, "web"])]);
	const raw = message([1, metadata], [2, message([1, "x"], [2, "1"])], [2, message([1, "y"], [2, "2"])], [4, 0]);
	expect(decodeProtobuf(envelope("v1", "ConfigMap", raw))).toEqual({
		apiVersion: "v1",
		kind: "ConfigMap",
		metadata: { name: "a", labels: { app: "web" } },
		data: { x: "1", y: "2" },
		immutable: false,
	});
});

test("zero replicas are decoded, other zeros are absent; fields of embedded messages are the outer type's", () => {
	const probe = message([1, message([2, message([1, "/"], [2, message([1, 0], [2, 80])])])], [2, 0], [4, 5]);
	const volume = message([1, "data"], [2, message([2, message()])]);
	const container = message([1, "c"], [2, "i"], [6, message([1, "p"], [2, 0], [3, 80])], [10, probe]);
	const pod = message([1, volume], [2, container], [11, 0]);
	const raw = message([1, message([1, "web"])], [2, message([1, 0], [3, message([2, pod])])]);
	expect(decodeProtobuf(envelope("apps/v1", "Deployment", raw))).toMatchObject({
		spec: {
			replicas: 0,
			template: {
				spec: {
					containers: [
						{
							name: "c",
							ports: [{ name: "p", containerPort: 80 }],
							livenessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 5 },
						},
					],
					volumes: [{ name: "data", emptyDir: {} }],
				},
			},
		},
	});
});

test("a number or a percentage of zero is decoded", () => {
	const rollingUpdate = message([1, message([1, 0], [2, 0], [3, ""])], [2, message([1, 1], [2, 0], [3, "20%"])]);
	const spec = message([3, message([1, "RollingUpdate"], [2, rollingUpdate])]);
	const raw = message([1, message([1, "a"])], [2, spec]);
	expect(decodeProtobuf(envelope("apps/v1", "DaemonSet", raw))).toMatchObject({
		spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: "20%" } } },
	});
});

test("a body in protobuf creates an object; an invalid one is rejected", async () => {
	const api = await testApi();
	const type = "application/vnd.kubernetes.protobuf";
	const send = (body: Buffer) =>
		api.handle({
			method: "POST",
			path: "/api/v1/namespaces/default/configmaps",
			query: new URLSearchParams(),
			headers: { "content-type": type, accept: `${type},application/json` },
			user: { name: "ann", groups: ["system:authenticated"] },
			body: { bytes: body },
			signal: new AbortController().signal,
		});
	expect((await send(envelope("v1", "ConfigMap", message([1, message([1, "a"])])))).status).toBe(201);
	for (const bytes of [
		Buffer.from("{}"),
		envelope("v1", "ConfigMap", Buffer.from([0x0a, 0xff])),
		Buffer.from("k8s\0\x0f"),
	])
		expect((await send(bytes)).status).toBe(400);
});

describe("versions that are no longer current", () => {
	const labels = message([1, message([1, "app"], [2, "web"])]);
	const template = message([1, message([11, labels.subarray(2)])], [2, message([2, message([1, "c"], [2, "i"])])]);
	const meta = message([1, "web"]);

	test.each(["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"])("%s Deployment", (apiVersion) => {
		const rollback = message([1, 3]);
		const spec = message([1, 2], [3, template], [8, rollback], [9, 60]);
		expect(decodeProtobuf(envelope(apiVersion, "Deployment", message([1, meta], [2, spec])))).toEqual({
			apiVersion,
			kind: "Deployment",
			metadata: { name: "web" },
			spec: {
				replicas: 2,
				progressDeadlineSeconds: 60,
				template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } },
			},
		});
	});

	test.each([
		["extensions/v1beta1", "DaemonSet", message([5, 7], [6, 3]), { templateGeneration: 7, revisionHistoryLimit: 3 }],
		["apps/v1beta2", "DaemonSet", message([6, 3]), { revisionHistoryLimit: 3 }],
		["extensions/v1beta1", "ReplicaSet", message([1, 0]), { replicas: 0 }],
		["apps/v1beta1", "StatefulSet", message([1, 1], [5, "web"]), { replicas: 1, serviceName: "web" }],
		["batch/v1beta1", "CronJob", message([1, "* * * * *"], [4, 0]), { schedule: "* * * * *", suspend: false }],
		["policy/v1beta1", "PodDisruptionBudget", message([1, message([1, 0], [2, 1])]), { minAvailable: 1 }],
		["apps/v1beta1", "Scale", message([1, 3]), { replicas: 3 }],
	])("%s %s", (apiVersion, kind, raw, spec) => {
		expect(decodeProtobuf(envelope(apiVersion, kind, message([1, meta], [2, raw])))).toEqual({
			apiVersion,
			kind,
			metadata: { name: "web" },
			spec,
		});
	});

	test("endpoints of discovery.k8s.io/v1beta1 have a topology, and hints where others have a zone", () => {
		const hints = message([1, message([1, "b"])]);
		const endpoint = message([1, "10.0.0.1"], [5, message([1, "zone"], [2, "a"])], [6, "n"], [7, hints]);
		const raw = message([1, meta], [2, endpoint], [4, "IPv4"]);
		expect(decodeProtobuf(envelope("discovery.k8s.io/v1beta1", "EndpointSlice", raw))).toMatchObject({
			addressType: "IPv4",
			endpoints: [
				{ addresses: ["10.0.0.1"], topology: { zone: "a" }, nodeName: "n", hints: { forZones: [{ name: "b" }] } },
			],
		});
	});
});

test("times keep every microsecond, and no more", () => {
	const raw = message([2, message([4, message([1, 356995333], [2, 358_108_999])])]);
	expect(decodeProtobuf(envelope("coordination.k8s.io/v1", "Lease", raw))).toMatchObject({
		spec: { renewTime: "1981-04-24T21:22:13.358108Z" },
	});
});

test("an empty optional scalar is decoded, other fields of that name are absent", () => {
	const mount = message([1, "m"], [5, ""]);
	const statusOfOne = message([1, "c"], [4, 0], [5, 0], [9, 0]);
	const raw = message([2, message([2, message([1, "c"], [9, mount], [16, 0])])], [3, message([8, statusOfOne])]);
	expect(decodeProtobuf(envelope("v1", "Pod", raw))).toMatchObject({
		spec: { containers: [{ name: "c", volumeMounts: [{ name: "m", mountPropagation: "" }] }] },
		status: { containerStatuses: [{ name: "c", ready: false, restartCount: 0, started: false }] },
	});
});

test("maps of many entries, with any keys", () => {
	const entries = ["__proto__", "constructor", ...Array.from({ length: 40_000 }, (_, index) => `k${index}`)].map(
		(key): Part => [2, message([1, key], [2, "v"])],
	);
	const { data } = decodeProtobuf(envelope("v1", "ConfigMap", message(...entries))) as { data: object };
	expect(Object.keys(data)).toHaveLength(40_002);
	expect(Object.hasOwn(data, "__proto__")).toBe(true);
	expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
});

test("lists of numbers may be packed; unknown fields are skipped", () => {
	const packed = message([4, Buffer.from([1, 0xac, 0x02])], [4, 3], [99, 1], [2_000_000, "x"]);
	const raw = message([2, message([14, packed])]);
	expect(decodeProtobuf(envelope("v1", "Pod", raw))).toMatchObject({
		spec: { securityContext: { supplementalGroups: [1, 300, 3] } },
	});
});

test("the value of an entry may be a list, or absent", () => {
	const extra = [5, message([1, "k"], [2, message([1, "a"], [1, "b"])])] as const;
	const raw = message([2, message([...extra], [5, message([1, "none"])])]);
	expect(decodeProtobuf(envelope("authorization.k8s.io/v1", "SubjectAccessReview", raw))).toMatchObject({
		spec: { extra: { k: ["a", "b"], none: [] } },
	});
});

test("the object may come before its type", () => {
	const object = message([1, message([1, "a"])]);
	const bytes = message([2, object], [1, message([1, "v1"], [2, "ConfigMap"])]);
	expect(decodeProtobuf(Buffer.concat([Buffer.from("k8s\0"), bytes]))).toMatchObject({ metadata: { name: "a" } });
});

describe("refused before they are worked on", () => {
	test.each([
		["a text as a number", "ConfigMap", message([1, message([1, 5])])],
		["a number as a text", "ReplicationController", message([2, message([1, "5"])])],
		["a message that ends after the one it is in", "ConfigMap", Buffer.from("0a020a05", "hex")],
		["an entry whose key is a number", "ConfigMap", message([2, message([1, 5])])],
		["a time of another era", "ConfigMap", message([1, message([8, message([1, 1e15])])])],
	])("%s", (_, kind, raw) => {
		expect(() => decodeProtobuf(envelope("v1", kind, raw))).toThrow("not a well-formed protobuf message");
	});

	test("a kind that has no protobuf", () => {
		expect(() => decodeProtobuf(envelope("example.com/v1", "Widget", message()))).toThrow("send JSON");
	});

	test("more fields than an object can have", () => {
		const raw = Buffer.from("4000".repeat(700_000), "hex");
		expect(() => decodeProtobuf(envelope("v1", "ConfigMap", raw))).toThrow("limit is 100000 values");
	});

	test("a free-form field, nested deeply", () => {
		const text = `{"f:a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
		const entry = message([1, "m"], [2, "Update"], [7, message([1, text])]);
		const raw = message([1, message([1, "a"], [17, entry])]);
		expect(() => decodeProtobuf(envelope("v1", "ConfigMap", raw))).toThrow("exceeded max depth");
	});
});
