/** Kinds that nothing here acts on are held to the same rules as the others. */
import { expect, test } from "vitest";
import { testApi } from "./testing/test-api.ts";

const networking = "/apis/networking.k8s.io/v1";
const storage = "/apis/storage.k8s.io/v1";
const policies = `${networking}/namespaces/default/networkpolicies`;
const peer = (ipBlock: object) => ({ ingress: [{ from: [{ ipBlock }] }] });
const ports = (...list: object[]) => ({ egress: [{ ports: list }] });
const driver = (name: string, more: object = {}) => ({ name, nodeID: "n", ...more });
const network = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

test.each<[string, object, string]>([
	[
		policies,
		ports({ endPort: 90 }),
		"spec.egress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is not specified",
	],
	[policies, ports({ port: "http", endPort: 90 }), "may not be specified when `port` is non-numeric"],
	[policies, ports({ port: 91, endPort: 90 }), "must be greater than or equal to `port`"],
	[policies, peer({ cidr: "nonsense" }), `spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "nonsense": ${network}`],
	[policies, peer({ cidr: "10.0.0.0/33" }), network],
	[
		policies,
		peer({ cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] }),
		'ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
	],
	[policies, peer({ cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] }), "must be a strict subset of `cidr`"],
	[
		`${networking}/ingressclasses`,
		{ controller: "bad" },
		'spec.controller: Invalid value: "bad": must be a domain-prefixed path (such as "acme.io/foo")',
	],
	[`${networking}/ingressclasses`, { controller: "B_/x" }, 'spec.controller: Invalid value: "B_"'],
	[`${storage}/csidrivers`, { volumeLifecycleModes: ["Foo"] }, 'spec.volumeLifecycleModes: Unsupported value: "Foo"'],
	[`${storage}/csidrivers`, { fsGroupPolicy: "Foo" }, 'spec.fsGroupPolicy: Unsupported value: "Foo"'],
	[`${storage}/csinodes`, { drivers: [driver("a"), driver("a")] }, 'spec.drivers[1].name: Duplicate value: "a"'],
	[`${storage}/csinodes`, { drivers: [driver("a", { nodeID: "" })] }, "spec.drivers[0].nodeID: Required value"],
	["/api/v1/nodes", { podCIDR: "bad" }, `spec.podCIDRs[0]: Invalid value: "bad": ${network}`],
	[
		"/api/v1/namespaces",
		{ finalizers: ["bad"] },
		'spec.finalizers: Invalid value: "bad": name is neither a standard finalizer name nor is it fully qualified',
	],
])("%s refuses %j", async (path, spec, why) => {
	const api = await testApi();
	const { status, object } = await api.ask("POST", path, { metadata: { name: "x" }, spec });
	expect([status, object.message]).toEqual([422, expect.stringContaining(why)]);
	await api.close();
});

test.each<[string, object]>([
	[policies, { ...ports({ port: 80, endPort: 90 }), ...peer({ cidr: "2001:db8::/32", except: ["2001:db8:1::/48"] }) }],
	[policies, peer({ cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "169.254.169.254/32"] })],
	[`${networking}/ingressclasses`, { controller: "k8s.io/ingress-nginx" }],
	[`${storage}/csidrivers`, { volumeLifecycleModes: ["Persistent", "Ephemeral"] }],
	[`${storage}/csinodes`, { drivers: [driver("a", { topologyKeys: ["example.com/zone"] }), driver("b")] }],
	["/api/v1/nodes", { podCIDR: "10.244.1.0/24", podCIDRs: ["10.244.1.0/24", "fd00:1::/64"] }],
	["/api/v1/namespaces", { finalizers: ["example.com/x"] }],
])("%s takes %j", async (path, spec) => {
	const api = await testApi();
	const { status, object } = await api.ask("POST", path, { metadata: { name: "x" }, spec });
	expect([status, object.message]).toEqual([201, undefined]);
	await api.close();
});
