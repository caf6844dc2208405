import { describe, expect, it } from "vitest";
import type { NetworkPolicy, NetworkPolicySpec } from "../../kinds/generated/types.ts";
import type { PolicyRule } from "../../network/policy.ts";
import { type AddressedPod, policyRules } from "./plan.ts";

const namespaces = new Map([
	["shop", { "kubernetes.io/metadata.name": "shop", team: "a" }],
	["ops", { "kubernetes.io/metadata.name": "ops", team: "b" }],
]);
const pod = (namespace: string, app: string, address: string, ports: AddressedPod["ports"] = []): AddressedPod => ({
	namespace,
	labels: { app },
	address,
	ports,
});
const web = pod("shop", "web", "10.0.0.1", [{ name: "http", protocol: "TCP", port: 8080 }]);
const web2 = pod("shop", "web", "10.0.0.2", [{ name: "http", protocol: "TCP", port: 9090 }]);
const db = pod("shop", "db", "10.0.1.3", [{ name: "sql", protocol: "TCP", port: 5432 }]);
const monitor = pod("ops", "monitor", "10.0.1.4", [{ name: "http", protocol: "TCP", port: 80 }]);

const policy = (name: string, spec: NetworkPolicySpec, namespace = "shop"): NetworkPolicy => ({
	apiVersion: "networking.k8s.io/v1",
	kind: "NetworkPolicy",
	metadata: { name, namespace, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
	spec,
});
const plan = (...policies: NetworkPolicy[]) =>
	policyRules({ policies, namespaces, pods: [web, web2, db, monitor], local: [web, web2] });

describe("who is isolated", () => {
	const cases: [string, NetworkPolicySpec, ("ingress" | "egress")[]][] = [
		["ingress by default", {}, ["ingress"]],
		["both, if there are rules for egress", { egress: [{}] }, ["ingress", "egress"]],
		["egress alone", { policyTypes: ["Egress"] }, ["egress"]],
		["both without a rule", { policyTypes: ["Ingress", "Egress"] }, ["ingress", "egress"]],
	];
	it.each(cases)("%s", (_, spec, directions) => {
		const isolated = Object.fromEntries(directions.map((direction) => [direction, [`shop/one/${direction}`]]));
		expect(plan(policy("one", { podSelector: { matchLabels: { app: "web" } }, ...spec })).isolated).toEqual([
			{ address: web.address, ...isolated },
			{ address: web2.address, ...isolated },
		]);
	});

	it("is no pod of another node, of another namespace, or with other labels", () => {
		const rules = plan(
			policy("one", { podSelector: { matchLabels: { app: "db" } } }),
			policy("two", {}, "ops"),
			policy("three", { podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] } }),
		);
		expect(rules).toEqual({ isolated: [], policies: new Map() });
	});

	it("has the policies of a direction together", () => {
		const { isolated } = plan(policy("b", { podSelector: {} }), policy("a", { podSelector: {}, egress: [] }));
		expect(isolated[0]).toEqual({
			address: web.address,
			ingress: ["shop/a/ingress", "shop/b/ingress"],
			egress: ["shop/a/egress"],
		});
	});
});

describe("what a rule lets through", () => {
	const app = (name: string) => ({ podSelector: { matchLabels: { app: name } } });
	const team = (name: string) => ({ namespaceSelector: { matchLabels: { team: name } } });
	const of = (...addresses: string[]) => ({ addresses, blocks: [] });
	const all = [web, web2, db].map(({ address }) => address);
	const cases: [string, Pick<NetworkPolicySpec, "ingress" | "egress">, PolicyRule[]][] = [
		["nothing", { ingress: [] }, []],
		["everything", { ingress: [{}] }, [{}]],
		["everything from empty lists", { ingress: [{ from: [], ports: [] }] }, [{}]],
		["pods of the policy's namespace", { ingress: [{ from: [app("db")] }] }, [{ peers: of(db.address) }]],
		["all pods of it", { ingress: [{ from: [{ podSelector: {} }] }] }, [{ peers: of(...all) }]],
		["pods of chosen namespaces", { ingress: [{ from: [team("b")] }] }, [{ peers: of(monitor.address) }]],
		["both selectors together", { ingress: [{ from: [{ ...team("b"), ...app("db") }] }] }, [{ peers: of() }]],
		[
			"either of two peers",
			{ ingress: [{ from: [team("b"), app("db")] }] },
			[{ peers: of(monitor.address, db.address) }],
		],
		[
			"blocks with exceptions, of this address family",
			{
				egress: [
					{ to: [{ ipBlock: { cidr: "10.9.8.7/8", except: ["10.1.0.0/16"] } }, { ipBlock: { cidr: "fd00::/8" } }] },
				],
			},
			[{ peers: { blocks: [{ cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }] } }],
		],
		[
			"numbers, ranges and whole protocols, joined",
			{
				ingress: [
					{
						ports: [
							{ port: 90, endPort: 99 },
							{ port: 80, protocol: "TCP" },
							{ port: 95, endPort: 120 },
							{ port: 121 },
							{ protocol: "UDP" },
							{ port: 7, protocol: "SCTP" },
						],
					},
				],
			},
			[
				{
					ports: {
						ranges: [
							{ protocol: "TCP", from: 80, to: 80 },
							{ protocol: "TCP", from: 90, to: 121 },
							{ protocol: "UDP", from: 0, to: 65_535 },
							{ protocol: "SCTP", from: 7, to: 7 },
						],
					},
				},
			],
		],
		[
			"names of the selected pods' ports",
			{ ingress: [{ ports: [{ port: "http" }] }] },
			[
				{
					ports: {
						ranges: [],
						named: [
							{ address: web.address, protocol: "TCP", port: 8080 },
							{ address: web2.address, protocol: "TCP", port: 9090 },
						],
					},
				},
			],
		],
		[
			"names of the peers' ports",
			{ egress: [{ to: [team("b")], ports: [{ port: "http" }] }] },
			[
				{
					peers: of(monitor.address),
					ports: { ranges: [], named: [{ address: monitor.address, protocol: "TCP", port: 80 }] },
				},
			],
		],
		[
			"no port of another protocol",
			{ ingress: [{ ports: [{ port: "http", protocol: "UDP" }] }] },
			[{ ports: { ranges: [], named: [] } }],
		],
	];
	it.each(cases)("%s", (_, rules, expected) => {
		const direction = rules.egress === undefined ? "ingress" : "egress";
		const types = direction === "ingress" ? ["Ingress"] : ["Egress"];
		const { policies } = plan(policy("one", { podSelector: {}, policyTypes: types, ...rules }));
		expect(policies).toEqual(new Map([[`shop/one/${direction}`, expected]]));
	});
});
