/**
 * The initial flow schemas and priority levels of every cluster, as in v1.36 (Kubernetes documentation, "API Priority
 * and Fairness", "Defaults").
 */
import type { Draft } from "../../core/object.ts";
import type {
	FlowcontrolSubject,
	FlowSchema,
	PolicyRulesWithSubjects,
	PriorityLevelConfiguration,
} from "../generated/types.ts";

const everything = ["*"];
/** Schemas and levels that every cluster has, and that stay as they are. */
export const mandatory: readonly string[] = ["exempt", "catch-all"];
/** Whether the server resets changes of the object. */
export const autoUpdate = "apf.kubernetes.io/autoupdate-spec";
const metadata = (name: string) => ({ name, annotations: { [autoUpdate]: "true" } });

/** name, shares, percentage that others may borrow, number of queues, and queues that a flow may use */
const limited: readonly (readonly [string, number, number, ...([number, number] | [])])[] = [
	["catch-all", 5, 0],
	["system", 30, 33, 64, 6],
	["node-high", 40, 25, 64, 6],
	["leader-election", 10, 0, 16, 4],
	["workload-high", 40, 50, 128, 6],
	["workload-low", 100, 90, 128, 6],
	["global-default", 20, 50, 128, 6],
];

export const bootstrapPriorityLevels: readonly Draft<PriorityLevelConfiguration>[] = [
	{
		metadata: metadata("exempt"),
		spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
	},
	...limited.map(([name, nominalConcurrencyShares, lendablePercent, queues, handSize]) => ({
		metadata: metadata(name),
		spec: {
			type: "Limited",
			limited: {
				nominalConcurrencyShares,
				lendablePercent,
				limitResponse:
					queues === undefined || handSize === undefined
						? { type: "Reject" }
						: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } },
			},
		},
	})),
];

const group = (name: string): FlowcontrolSubject => ({ kind: "Group", group: { name } });
const user = (name: string): FlowcontrolSubject => ({ kind: "User", user: { name } });
const everyone = [group("system:unauthenticated"), group("system:authenticated")];
const systemAccount = (name: string): FlowcontrolSubject => ({
	kind: "ServiceAccount",
	serviceAccount: { name, namespace: "kube-system" },
});
const systemAccounts = systemAccount("*");

/** All requests of the subjects. */
function all(...subjects: FlowcontrolSubject[]): PolicyRulesWithSubjects {
	return {
		subjects,
		resourceRules: [
			{ verbs: everything, apiGroups: everything, resources: everything, namespaces: everything, clusterScope: true },
		],
		nonResourceRules: [{ verbs: everything, nonResourceURLs: everything }],
	};
}

function some(apiGroup: string, resources: string[], verbs: string[], namespaces: string[], clusterScope = false) {
	return { verbs, apiGroups: [apiGroup], resources, namespaces, clusterScope };
}

const electing = ["get", "create", "update"];
const leases = some("coordination.k8s.io", ["leases"], electing, everything);

const schemas: readonly (readonly [
	name: string,
	level: string,
	precedence: number,
	distinguisher: "ByUser" | "ByNamespace" | undefined,
	rules: PolicyRulesWithSubjects,
])[] = [
	["exempt", "exempt", 1, undefined, all(group("system:masters"))],
	[
		"probes",
		"exempt",
		2,
		undefined,
		{
			subjects: everyone,
			nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
		},
	],
	[
		"system-leader-election",
		"leader-election",
		100,
		"ByUser",
		{
			subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler"), systemAccounts],
			resourceRules: [leases],
		},
	],
	[
		"endpoint-controller",
		"workload-high",
		150,
		"ByUser",
		{
			subjects: [
				user("system:kube-controller-manager"),
				systemAccount("endpoint-controller"),
				systemAccount("endpointslicemirroring-controller"),
			],
			resourceRules: [some("", ["endpoints"], electing, everything)],
		},
	],
	[
		"workload-leader-election",
		"leader-election",
		200,
		"ByUser",
		{ subjects: [systemAccounts], resourceRules: [leases] },
	],
	[
		"system-node-high",
		"node-high",
		400,
		"ByUser",
		{
			subjects: [group("system:nodes")],
			resourceRules: [
				some("", ["nodes", "nodes/status"], everything, everything, true),
				some("coordination.k8s.io", ["leases"], everything, everything),
			],
		},
	],
	["system-nodes", "system", 500, "ByUser", all(group("system:nodes"))],
	["kube-controller-manager", "workload-high", 800, "ByNamespace", all(user("system:kube-controller-manager"))],
	["kube-scheduler", "workload-high", 800, "ByNamespace", all(user("system:kube-scheduler"))],
	["kube-system-service-accounts", "workload-high", 900, "ByNamespace", all(systemAccounts)],
	["service-accounts", "workload-low", 9000, "ByUser", all(group("system:serviceaccounts"))],
	["global-default", "global-default", 9900, "ByUser", all(...everyone)],
	["catch-all", "catch-all", 10_000, "ByUser", all(...everyone)],
];

export const bootstrapFlowSchemas: readonly Draft<FlowSchema>[] = schemas.map(
	([name, level, matchingPrecedence, type, rules]) => ({
		metadata: metadata(name),
		spec: {
			priorityLevelConfiguration: { name: level },
			matchingPrecedence,
			...(type && { distinguisherMethod: { type } }),
			rules: [rules],
		},
	}),
);
