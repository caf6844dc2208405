import { expect, test } from "vitest";
import type {
	AllocationResult,
	Device,
	DeviceClass,
	DeviceRequest,
	Node,
	ResourceResourceClaim,
	ResourceSlice,
} from "../../kinds/generated/types.ts";
import type { Devices } from "../model/devices.ts";
import { allocate } from "./allocate.ts";
import { Effort } from "./effort.ts";

const driver = "gpu.example";
const meta = (name: string) => ({ name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "" });
const nodeNamed = (name: string, labels = {}): Node => ({
	apiVersion: "v1",
	kind: "Node",
	metadata: { ...meta(name), labels },
	spec: {},
});
const node = nodeNamed("n1");

function slice(devices: Device[], more: Partial<ResourceSlice["spec"]> = {}): ResourceSlice {
	const pool = { name: "p", generation: 1, resourceSliceCount: 1 };
	const spec = { driver, pool, nodeName: "n1", devices, ...more };
	return { apiVersion: "resource.k8s.io/v1", kind: "ResourceSlice", metadata: meta(`slice-${devices[0]?.name}`), spec };
}

function claim(
	requests: DeviceRequest[],
	more: Partial<ResourceResourceClaim["spec"]["devices"]> & { status?: ResourceResourceClaim["status"] } = {},
	name = "c",
): ResourceResourceClaim {
	const { status, ...devices } = more;
	return {
		apiVersion: "resource.k8s.io/v1",
		kind: "ResourceClaim",
		metadata: meta(name),
		spec: { devices: { requests, ...devices } },
		...(status === undefined ? {} : { status }),
	};
}

const request = (more: Partial<DeviceRequest["exactly"]> = {}, name = "r"): DeviceRequest => ({
	name,
	exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 1, ...more },
});
const cel = (expression: string) => ({ selectors: [{ cel: { expression } }] });
const attribute = (name: string) => `device.attributes["${driver}"].${name}`;
const gpus = (...names: string[]): Device[] =>
	names.map((name, index) => ({ name, attributes: { index: { int: index } } }));

interface World {
	slices?: ResourceSlice[];
	allocated?: ResourceResourceClaim[];
	deviceClass?: DeviceClass["spec"];
	node?: Node;
	effort?: Effort;
}

function solve(world: World, ...claims: ResourceResourceClaim[]): AllocationResult[] | undefined {
	const { slices = [slice(gpus("a", "b", "c"))], allocated = [], deviceClass = {} } = world;
	const devices: Devices = {
		claim: () => undefined,
		isBeingAllocated: () => false,
		deviceClass: (name) =>
			name === "gpu"
				? { apiVersion: "resource.k8s.io/v1", kind: "DeviceClass", metadata: meta("gpu"), spec: deviceClass }
				: undefined,
		slices: () => slices,
		allocated: () => allocated,
	};
	let shares = 0;
	return allocate(claims, world.node ?? node, devices, () => `share-${++shares}`, world.effort);
}

/** The devices of each claim. */
const picked = (results: AllocationResult[] | undefined) =>
	results?.map(({ devices }) => devices?.results?.map(({ device }) => device).join(" "));
const holding = (device: string, more: object = {}): ResourceResourceClaim =>
	claim(
		[],
		{ status: { allocation: { devices: { results: [{ request: "r", driver, pool: "p", device, ...more }] } } } },
		"h",
	);

test("the first free device is taken, with the node that it is on and the configuration of class and claim", () => {
	const config = [{ opaque: { driver, parameters: { a: 1 } } }];
	const results = solve({ allocated: [holding("a")], deviceClass: { config } }, claim([request()], { config }));
	expect(results).toEqual([
		{
			devices: {
				results: [{ request: "r", driver, pool: "p", device: "b" }],
				config: [
					{ source: "FromClass", requests: ["r"], ...config[0] },
					{ source: "FromClaim", ...config[0] },
				],
			},
			nodeSelector: {
				nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }],
			},
		},
	]);
});

test("counts are exact, and two claims never share a device", () => {
	expect(picked(solve({}, claim([request({ count: 2 })]), claim([request()])))).toEqual(["a b", "c"]);
	expect(solve({}, claim([request({ count: 2 })]), claim([request({ count: 2 })]))).toBeUndefined();
});

test("all means all that match, and at least one that nobody has", () => {
	const all = request({ allocationMode: "All", ...cel(`${attribute("index")} > 0`) });
	expect(picked(solve({}, claim([all])))).toEqual(["b c"]);
	expect(solve({ allocated: [holding("b")] }, claim([all]))).toBeUndefined();
	const none = request({ allocationMode: "All", ...cel(`${attribute("index")} > 5`) });
	expect(solve({}, claim([none]))).toBeUndefined();
});

test("administrators get devices that others have", () => {
	const results = solve({ allocated: [holding("a")] }, claim([request({ adminAccess: true })]));
	expect(results?.[0]?.devices?.results?.[0]).toMatchObject({ device: "a", adminAccess: true });
	expect(picked(solve({ allocated: [holding("a", { adminAccess: true })] }, claim([request()])))).toEqual(["a"]);
});

test("selectors of class and request must all hold, and a failing one ends the allocation", () => {
	const deviceClass = cel(`${attribute("index")} > 0`);
	expect(picked(solve({ deviceClass }, claim([request(cel(`${attribute("index")} < 2`))])))).toEqual(["b"]);
	expect(() => solve({}, claim([request(cel(`${attribute("nope")} == 1`))]))).toThrow(
		"claim default/c: selector #0: CEL runtime error: no such key: nope",
	);
	expect(() => solve({}, claim([request({ deviceClassName: "tpu" })]))).toThrow("device class tpu does not exist");
});

test("the first alternative that leads to a solution is taken", () => {
	const wish = { deviceClassName: "gpu", allocationMode: "ExactCount" };
	const alternatives: DeviceRequest = {
		name: "r",
		firstAvailable: [
			{ ...wish, name: "four", count: 4 },
			{ ...wish, name: "two", count: 2 },
		],
	};
	const results = solve({}, claim([alternatives]));
	expect(results?.[0]?.devices?.results?.map((each) => `${each.request} ${each.device}`)).toEqual([
		"r/two a",
		"r/two b",
	]);
});

test("constraints hold across requests, and are searched for", () => {
	const on = (name: string, numa: number) => ({ name, attributes: { numa: { int: numa } } });
	const slices = [slice([on("a", 0), on("b", 1), on("c", 1)])];
	const constraint = { matchAttribute: `${driver}/numa` };
	expect(picked(solve({ slices }, claim([request(), request({}, "s")], { constraints: [constraint] })))).toEqual([
		"b c",
	]);
	const distinct = { distinctAttribute: `${driver}/numa` };
	expect(picked(solve({ slices }, claim([request({ count: 2 })], { constraints: [distinct] })))).toEqual(["a b"]);
	expect(solve({ slices }, claim([request({ count: 3 })], { constraints: [distinct] }))).toBeUndefined();
});

test("tainted devices are for requests that tolerate them", () => {
	const taints = [{ key: "broken", effect: "NoSchedule" }];
	const slices = [slice([{ name: "a", taints }])];
	expect(solve({ slices }, claim([request()]))).toBeUndefined();
	const tolerations = [{ key: "broken", operator: "Exists" }];
	expect(solve({ slices }, claim([request({ tolerations })]))?.[0]?.devices?.results?.[0]).toMatchObject({
		tolerations,
	});
});

test("shared devices are used until their capacity is", () => {
	const shared: Device = {
		name: "a",
		allowMultipleAllocations: true,
		capacity: { memory: { value: "10Gi", requestPolicy: { default: "4Gi" } } },
	};
	const slices = [slice([shared])];
	const wish = request({ capacity: { requests: { memory: "6Gi" } } });
	const results = solve({ slices }, claim([wish]), claim([request()]));
	expect(results?.map(({ devices }) => devices?.results?.[0])).toEqual([
		{ request: "r", driver, pool: "p", device: "a", shareID: "share-1", consumedCapacity: { memory: "6Gi" } },
		{ request: "r", driver, pool: "p", device: "a", shareID: "share-2", consumedCapacity: { memory: "4Gi" } },
	]);
	const held = holding("a", { shareID: "s", consumedCapacity: { memory: "6Gi" } });
	expect(solve({ slices, allocated: [held] }, claim([wish]))).toBeUndefined();
	expect(picked(solve({ slices, allocated: [held] }, claim([request()])))).toEqual(["a"]);
});

test("devices that are large enough are taken whole", () => {
	const sized = (name: string, value: string) => ({ name, capacity: { memory: { value } } });
	const slices = [slice([sized("small", "10Gi"), sized("large", "40Gi")])];
	expect(picked(solve({ slices }, claim([request({ capacity: { requests: { memory: "20Gi" } } })])))).toEqual([
		"large",
	]);
});

test("parts of a device share its counters", () => {
	const pool = { name: "p", generation: 1, resourceSliceCount: 2 };
	const part = (name: string, value: string) => ({
		name,
		consumesCounters: [{ counterSet: "gpu", counters: { memory: { value } } }],
	});
	const counters = slice([], { pool, sharedCounters: [{ name: "gpu", counters: { memory: { value: "40Gi" } } }] });
	const slices = [counters, slice([part("whole", "40Gi"), part("half-1", "20Gi"), part("half-2", "20Gi")], { pool })];
	expect(picked(solve({ slices }, claim([request({ count: 2 })])))).toEqual(["half-1 half-2"]);
	expect(picked(solve({ slices, allocated: [holding("half-1")] }, claim([request()])))).toEqual(["half-2"]);
});

test("only the newest generation of a pool counts, and only when all of its slices are there", () => {
	const of = (generation: number, resourceSliceCount = 1) => ({ pool: { name: "p", generation, resourceSliceCount } });
	expect(picked(solve({ slices: [slice(gpus("old"), of(1)), slice(gpus("new"), of(2))] }, claim([request()])))).toEqual(
		["new"],
	);
	const incomplete = [slice(gpus("a"), of(1, 2))];
	expect(solve({ slices: incomplete }, claim([request()]))).toBeUndefined();
	expect(() => solve({ slices: incomplete }, claim([request({ allocationMode: "All" })]))).toThrow(
		`asks for all devices, but resource pool ${driver}/p is currently being updated`,
	);
});

test("network devices are for the nodes that their slices select", () => {
	const nodeSelectorTerms = [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }];
	const slices = [slice(gpus("a"), { nodeName: undefined, nodeSelector: { nodeSelectorTerms } })];
	expect(solve({ slices }, claim([request()]))).toBeUndefined();
	const [result] = solve({ slices, node: nodeNamed("n2", { zone: "a" }) }, claim([request()])) ?? [];
	expect(result?.nodeSelector).toEqual({ nodeSelectorTerms });
	const everywhere = [slice(gpus("a"), { nodeName: undefined, allNodes: true })];
	expect(solve({ slices: everywhere }, claim([request()]))?.[0]?.nodeSelector).toBeUndefined();
});

test("a search without end is given up", () => {
	const slices = [
		slice(Array.from({ length: 40 }, (_, index) => ({ name: `d${index}`, attributes: { a: { int: index } } }))),
	];
	const constraints = [{ matchAttribute: `${driver}/a`, requests: ["last"] }];
	const impossible = claim([request({ count: 20 }), request({ count: 2 }, "last")], { constraints });
	expect(() => solve({ slices }, impossible)).toThrow("timed out trying to allocate devices");
});

test("a pod whose selectors cost too much is given up, however many nodes there are", () => {
	const effort = new Effort();
	const cheap = claim([request(cel("true"))]);
	expect(picked(solve({ effort }, cheap))).toEqual(["a"]);
	expect(() => {
		for (let nodes = 0; nodes < 100; nodes++) effort.evaluated(1_000_000);
	}).toThrow("timed out");
	expect(() => solve({ effort }, claim([request(cel("device.driver != ''"))]))).toThrow("timed out");
});
