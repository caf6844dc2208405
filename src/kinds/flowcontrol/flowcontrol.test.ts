import { expect, test } from "vitest";
import { createFrom } from "../testing.ts";
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from "./bootstrap.ts";

const apiVersion = "flowcontrol.apiserver.k8s.io/v1";
const problems = (kind: string, spec: object, name = "x") =>
	createFrom({ apiVersion, kind, metadata: { name }, spec }).problems;

test("the initial objects are right", () => {
	for (const { metadata, spec } of bootstrapFlowSchemas)
		expect(problems("FlowSchema", spec, metadata.name)).toEqual([]);
	for (const { metadata, spec } of bootstrapPriorityLevels)
		expect(problems("PriorityLevelConfiguration", spec, metadata.name)).toEqual([]);
});

const subjects = [{ kind: "User", user: { name: "ann" } }];
const nonResource = (more: object) => ({
	subjects,
	nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"], ...more }],
});
const resource = (more: object) => ({
	subjects,
	resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], ...more }],
});
const r = "spec.rules[0].resourceRules[0]";
const n = "spec.rules[0].nonResourceRules[0]";
const s = "spec.rules[0].subjects[0]";

test.each<[string, object, string[]]>([
	["is right", nonResource({}), []],
	[
		"verbs",
		nonResource({ verbs: ["head"] }),
		[expect.stringContaining(`${n}.verbs: Unsupported value: ["head"]: supported values: "create", "delete"`)],
	],
	[
		"all and one",
		resource({ verbs: ["*", "get"] }),
		[expect.stringContaining("if '*' is present, must not specify other verbs")],
	],
	[
		"no groups",
		resource({ apiGroups: [] }),
		[`${r}.apiGroups: Required value: resource rules must supply at least one api group`],
	],
	[
		"no namespaces",
		resource({ namespaces: [] }),
		[`${r}.namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`],
	],
	["cluster scope", resource({ namespaces: [], clusterScope: true }), []],
	[
		"a wrong namespace",
		resource({ namespaces: ["A"] }),
		[expect.stringContaining("each member of this list must be '*' or a DNS-1123 label; a lowercase RFC 1123 label")],
	],
	[
		"relative",
		nonResource({ nonResourceURLs: ["healthz"] }),
		[`${n}.nonResourceURLs[0]: Invalid value: "healthz": must start with slash`],
	],
	["blank", nonResource({ nonResourceURLs: ["/a b"] }), [expect.stringContaining("must not contain white-space")]],
	["slashes", nonResource({ nonResourceURLs: ["/a//b"] }), [expect.stringContaining("must not contain double slash")]],
	[
		"wildcard",
		nonResource({ nonResourceURLs: ["/a/*", "/a*"] }),
		[expect.stringContaining("wildcard can only do suffix matching")],
	],
	[
		"no subject",
		{ ...nonResource({}), subjects: [{ kind: "Group" }] },
		[`${s}.group: Required value: group is required when subject kind is 'Group'`],
	],
	[
		"two subjects",
		{ ...nonResource({}), subjects: [{ ...subjects[0], group: { name: "a" } }] },
		[`${s}.group: Forbidden: group is forbidden when subject kind is not 'Group'`],
	],
	[
		"another kind",
		{ ...nonResource({}), subjects: [{ kind: "Robot" }] },
		[`${s}.kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"`],
	],
	[
		"no namespace",
		{ ...nonResource({}), subjects: [{ kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "" } }] },
		[`${s}.serviceAccount.namespace: Required value: must specify namespace for service account`],
	],
])("rules of a FlowSchema: %s", (_, rule, wrong) => {
	const spec = { priorityLevelConfiguration: { name: "system" }, rules: [rule] };
	expect(problems("FlowSchema", spec)).toEqual(wrong);
});

test("a FlowSchema has a level, a precedence, and a way to tell flows apart", () => {
	const spec = { priorityLevelConfiguration: {}, matchingPrecedence: 1, distinguisherMethod: { type: "ByColour" } };
	expect(problems("FlowSchema", spec)).toEqual([
		"spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
		expect.stringContaining('supported values: "ByNamespace", "ByUser"'),
		"spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
	]);
	const catchAll = { ...bootstrapFlowSchemas.find(({ metadata }) => metadata.name === "catch-all")?.spec, rules: [] };
	expect(problems("FlowSchema", catchAll, "catch-all").join()).toContain(
		"spec of 'catch-all' must equal the fixed value",
	);
});

const limited = (more: object) => ({ type: "Limited", limited: { limitResponse: { type: "Reject" }, ...more } });
const queuing = (more: object) => limited({ limitResponse: { type: "Queue", queuing: more } });
const q = "spec.limited.limitResponse.queuing";

test.each<[string, object, string[]]>([
	["is right", limited({}), []],
	["no type", { type: "" }, ['spec.type: Unsupported value: "": supported values: "Exempt", "Limited"']],
	[
		"exempt",
		{ type: "Exempt" },
		["spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
	],
	[
		"shares",
		limited({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }),
		[
			"spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
			"spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
			"spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
		],
	],
	[
		"queues",
		queuing({ queues: -1, handSize: -1, queueLengthLimit: -1 }),
		["queueLengthLimit", "queues", "handSize"].map((field) => `${q}.${field}: Invalid value: -1: must be positive`),
	],
	[
		"hands",
		queuing({ queues: 4, handSize: 5 }),
		[`${q}.handSize: Invalid value: 5: should not be greater than queues (4)`],
	],
])("a PriorityLevelConfiguration: %s", (_, spec, wrong) => {
	expect(problems("PriorityLevelConfiguration", spec)).toEqual(wrong);
});

test("of the exempt level only the shares can be changed", () => {
	const exempt = { nominalConcurrencyShares: 3, lendablePercent: 10 };
	expect(problems("PriorityLevelConfiguration", { type: "Exempt", exempt }, "exempt")).toEqual([]);
	expect(problems("PriorityLevelConfiguration", limited({}), "exempt").at(-1)).toContain(
		"spec of 'exempt' except the 'spec.exempt' field must equal the fixed value",
	);
});
