import { describe, expect, test } from "vitest";
import type { DeviceAttribute, ResourceResourceClaim, ResourceSlice } from "../generated/types.ts";
import { cells, createFrom, updateProblems } from "../testing.ts";
import { consumedAmount } from "./capacity-policy.ts";
import { statusProblems } from "./claim-status.ts";
import { compileDeviceExpression, deviceVariable, selects } from "./device-expression.ts";
import { tolerates } from "./tolerations.ts";

const apiVersion = "resource.k8s.io/v1";
const make = (kind: string, spec: object) => createFrom({ apiVersion, kind, metadata: { name: "x" }, spec });
const claim = (devices: object) => make("ResourceClaim", { devices });
const exactly = (more: object = {}) => ({ name: "r", exactly: { deviceClassName: "gpu", ...more } });
const cel = (expression: string) => ({ selectors: [{ cel: { expression } }] });
const slice = (more: object) =>
	make("ResourceSlice", { driver: "d.example", pool: { name: "p", resourceSliceCount: 1 }, nodeName: "n", ...more });

describe("claims", () => {
	test("a request is for one device, unless it says otherwise", () => {
		const { object, problems } = claim({ requests: [exactly({ tolerations: [{ key: "a" }] })] });
		expect(problems).toEqual([]);
		expect(object).toMatchObject({
			spec: {
				devices: {
					requests: [
						{ exactly: { allocationMode: "ExactCount", count: 1, tolerations: [{ key: "a", operator: "Equal" }] } },
					],
				},
			},
			status: {},
		});
		const all = claim({ requests: [exactly({ allocationMode: "All" })] }).object as ResourceResourceClaim;
		expect(all.spec.devices?.requests?.[0]?.exactly?.count).toBeUndefined();
	});

	test.each<[string, object, string]>([
		[
			"no request",
			{ requests: [{ name: "r" }] },
			"spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
		],
		[
			"no class",
			{ requests: [{ name: "r", exactly: {} }] },
			"spec.devices.requests[0].exactly.deviceClassName: Required",
		],
		["a count of all", { requests: [exactly({ allocationMode: "All", count: 2 })] }, "must not be specified when"],
		["a wrong mode", { requests: [exactly({ allocationMode: "Some" })] }, 'Unsupported value: "Some"'],
		["a wrong expression", { requests: [exactly(cel("device.nope"))] }, "undefined field 'nope'"],
		["a number", { requests: [exactly(cel("1 + 1"))] }, "must evaluate to bool or the unknown type, not int"],
		[
			"too much work",
			{
				requests: [
					exactly(
						cel(
							'device.attributes["d"].all(a, device.attributes["d"].all(b, device.attributes["d"].all(c, device.attributes["d"].all(d, device.attributes["d"].all(e, a + b + c + d + e != "")))))',
						),
					),
				],
			},
			"too complex, exceeds cost limit",
		],
		["two of a name", { requests: [exactly(), exactly()] }, 'spec.devices.requests[1]: Duplicate value: "r"'],
		[
			"a constraint on what is not there",
			{ requests: [exactly()], constraints: [{ requests: ["s"], matchAttribute: "d/a" }] },
			'spec.devices.constraints[0].requests[0]: Invalid value: "s": must be the name of a request',
		],
		[
			"a constraint without a domain",
			{ requests: [exactly()], constraints: [{ matchAttribute: "a" }] },
			"a fully qualified name must be a domain and a name separated by a slash",
		],
		[
			"parameters that are no object",
			{ requests: [exactly()], config: [{ opaque: { driver: "d", parameters: [1] } }] },
			'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
		],
		[
			"33 requests",
			{ requests: Array.from({ length: 33 }, (_, index) => ({ ...exactly(), name: `r${index}` })) },
			"spec.devices.requests: Too many: 33: must have at most 32 items",
		],
	])("%s is a problem", (_, devices, problem) => {
		expect(claim(devices).problems.join("\n")).toContain(problem);
	});

	test("alternatives are referred to by both names", () => {
		const devices = {
			requests: [{ name: "r", firstAvailable: [{ name: "a", deviceClassName: "gpu" }] }],
			config: [{ requests: ["r/a"], opaque: { driver: "d", parameters: {} } }],
		};
		expect(claim(devices).problems).toEqual([]);
	});

	test("what was asked for stays", () => {
		const { object } = claim({ requests: [exactly()] });
		const problems = updateProblems(object as ResourceResourceClaim, ({ spec }) => {
			spec.devices = {};
		});
		expect(problems).toEqual([expect.stringContaining("field is immutable")]);
	});

	test("status: reservations need an allocation, which stays, and statuses are of its devices", () => {
		const bare = claim({ requests: [exactly()] }).object as ResourceResourceClaim;
		const result = { request: "r", driver: "d", pool: "p", device: "a" };
		const withStatus = (status: object) => ({ ...bare, status }) as ResourceResourceClaim;
		const problems = (status: object, old: object = {}) =>
			statusProblems(withStatus(status), withStatus(old)).map(({ field, message }) => `${field}: ${message}`);
		const allocation = { devices: { results: [result] } };
		const reservedFor = [{ resource: "pods", name: "x", uid: "1" }];
		expect(problems({ allocation, reservedFor })).toEqual([]);
		expect(problems({ reservedFor })).toEqual([expect.stringContaining("may not be specified when `allocated`")]);
		expect(problems({ allocation: { devices: {} } }, { allocation })).toEqual([
			expect.stringContaining("status.allocation: Invalid value"),
		]);
		const device = { driver: "d", pool: "p", device: "b" };
		expect(problems({ allocation, devices: [device] })).toEqual([
			expect.stringContaining("must be an allocated device in the claim"),
		]);
	});

	test("the table tells how far a claim is", () => {
		const { object } = claim({ requests: [exactly()] });
		const state = (status: object, metadata: object = {}) =>
			cells({ ...object, metadata: { ...object.metadata, ...metadata }, status } as typeof object, 0)["State"];
		expect(state({})).toBe("pending");
		expect(state({ allocation: {}, reservedFor: [{}] })).toBe("allocated,reserved");
		expect(state({ allocation: {} }, { deletionTimestamp: "2026-01-01T00:00:00Z" })).toBe("deleted,allocated");
	});
});

describe("slices", () => {
	test("taints get the time when they were seen first", () => {
		const { object } = slice({ devices: [{ name: "a", taints: [{ key: "k", effect: "NoSchedule" }] }] });
		expect((object as ResourceSlice).spec.devices?.[0]?.taints?.[0]?.timeAdded).toBe("2026-01-01T00:00:00Z");
	});

	test.each<[string, object, string]>([
		["no node", { nodeName: undefined }, "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`"],
		["two kinds of nodes", { allNodes: true }, "{`nodeName`, `allNodes`}"],
		["a wrong driver", { driver: "d_d" }, "spec.driver: Invalid value"],
		["devices of one name", { devices: [{ name: "a" }, { name: "a" }] }, 'spec.devices[1]: Duplicate value: "a"'],
		["no value", { devices: [{ name: "a", attributes: { b: {} } }] }, "exactly one value must be specified"],
		["a bad version", { devices: [{ name: "a", attributes: { b: { version: "1" } } }] }, "semver.org spec 2.0.0"],
		["a bad name", { devices: [{ name: "a", attributes: { "b-c": { int: 1 } } }] }, "a valid C identifier"],
		[
			"a policy of a device for one claim",
			{ devices: [{ name: "a", capacity: { m: { value: "1Gi", requestPolicy: {} } } }] },
			"allowMultipleAllocations must be true",
		],
		[
			"steps that miss the default",
			{
				devices: [
					{
						name: "a",
						allowMultipleAllocations: true,
						capacity: {
							m: { value: "10", requestPolicy: { default: "4", validRange: { min: "1", step: "2" } } },
						},
					},
				],
			},
			"value is not a multiple of a given step (2) from (1)",
		],
		[
			"counters and devices",
			{ devices: [{ name: "a" }], sharedCounters: [{ name: "s", counters: { c: { value: "1" } } }] },
			"only one of `sharedCounters` or `devices` is allowed",
		],
		["failure conditions alone", { devices: [{ name: "a", bindingFailureConditions: ["x"] }] }, "are required to use"],
	])("%s is a problem", (_, spec, problem) => {
		expect(slice(spec).problems.join("\n")).toContain(problem);
	});
});

describe("expressions", () => {
	const attributes: Record<string, DeviceAttribute> = {
		model: { string: "A100" },
		cores: { int: 8 },
		ready: { bool: true },
		"other.example/version": { version: "1.10.0" },
	};
	const device = deviceVariable({ name: "a", attributes, capacity: { memory: { value: "40Gi" } } }, "d.example");

	test.each<[string, boolean | string]>([
		['device.driver == "d.example"', true],
		['device.attributes["d.example"].model == "A100" && device.attributes["d.example"].cores > 4', true],
		['device.attributes["d.example"].ready', true],
		['device.attributes["other.example"].version.isGreaterThan(semver("1.9.0"))', true],
		['device.capacity["d.example"].memory.compareTo(quantity("48Gi")) >= 0', false],
		['cel.bind(d, device.attributes["d.example"], d.cores == 8 && d.model.startsWith("A"))', true],
		["device.allowMultipleAllocations", false],
		['has(device.attributes["nowhere.example"].model)', false],
		['"nowhere.example" in device.attributes', false],
		['device.attributes["nowhere.example"].model == ""', "no such key: model"],
	])("%s is %s", (expression, expected) => {
		const compiled = compileDeviceExpression(expression);
		if ("problem" in compiled) throw new Error(compiled.problem);
		const found = selects(compiled.program, device);
		expect(found.error === undefined ? found.matches : found.error).toBe(expected);
	});
});

test.each<[string | undefined, string | undefined]>([
	[undefined, "2Gi"],
	["1Gi", "2Gi"],
	["3Gi", "4Gi"],
	["9Gi", undefined],
])("a request for %s of a capacity in steps consumes %s", (wanted, consumed) => {
	const policy = { default: "2Gi", validRange: { min: "2Gi", max: "8Gi", step: "2Gi" } };
	expect(consumedAmount(wanted, "10Gi", policy)).toBe(consumed);
});

test("taints are tolerated by key, value and effect", () => {
	const taint = { key: "k", value: "v", effect: "NoSchedule" };
	expect(tolerates([{ key: "k", operator: "Exists" }], taint)).toBe(true);
	expect(tolerates([{ operator: "Exists" }], taint)).toBe(true);
	expect(tolerates([{ key: "k", value: "w" }], taint)).toBe(false);
	expect(tolerates([{ key: "k", value: "v", effect: "NoExecute" }], taint)).toBe(false);
});

test("a pod says where each of its claims comes from, and its containers use no others", () => {
	const pod = (resourceClaims: object[], claims: object[] = []) =>
		createFrom({
			apiVersion: "v1",
			kind: "Pod",
			metadata: { name: "x" },
			spec: { resourceClaims, containers: [{ name: "a", image: "b", resources: { claims } }] },
		}).problems;
	const claim = { name: "gpu", resourceClaimName: "c" };
	expect(
		pod(
			[claim],
			[
				{ name: "gpu", request: "a" },
				{ name: "gpu", request: "b" },
			],
		),
	).toEqual([]);
	expect(pod([claim], [{ name: "tpu" }])).toEqual([
		'spec.containers[0].resources.claims[0]: Not found: "tpu": must be one of the names in pod.spec.resourceClaims: gpu',
	]);
	expect(pod([claim], [{ name: "gpu" }, { name: "gpu" }])[0]).toContain("claims[1]: Duplicate value");
	expect(pod([claim, claim])[0]).toContain("spec.resourceClaims[1].name: Duplicate value");
	expect(pod([{ name: "gpu" }])[0]).toContain("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
	expect(pod([{ ...claim, resourceClaimTemplateName: "t" }])[0]).toContain("at most one of");
});
