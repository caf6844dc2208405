import { expect, test } from "vitest";
import { createFrom, updateProblems } from "../testing.ts";

function problems(kind: string, spec: object, metadata: object = { name: "x" }): string[] {
	return createFrom({ apiVersion: "networking.k8s.io/v1", kind, metadata, spec }).problems;
}

const service = { service: { name: "web", port: { number: 80 } } };
const path = (more: object) => ({
	rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend: service, ...more }] } }],
});
const at = "spec.rules[0].http.paths[0]";
const backend = (backend: object) => path({ backend });

test.each<[string, object, string[]]>([
	["is right", path({}), []],
	[
		"an address as host",
		{ rules: [{ host: "10.0.0.1" }] },
		['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
	],
	["no paths", { rules: [{ http: { paths: [] } }] }, ["spec.rules[0].http.paths: Required value"]],
	["no type", path({ pathType: undefined }), [`${at}.pathType: Required value: pathType must be specified`]],
	[
		"another type",
		path({ pathType: "Glob" }),
		[`${at}.pathType: Unsupported value: "Glob": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
	],
	["relative", path({ path: "a" }), [`${at}.path: Invalid value: "a": must be an absolute path`]],
	[
		"relative, whatever its meaning",
		path({ path: "a", pathType: "ImplementationSpecific" }),
		[`${at}.path: Invalid value: "a": must be an absolute path`],
	],
	["no path of its own meaning", path({ path: "", pathType: "ImplementationSpecific" }), []],
	[
		"sequences",
		path({ path: "/a//b/../c%2Fd" }),
		["//", "/../", "%2F"].map((part) => `${at}.path: Invalid value: "/a//b/../c%2Fd": must not contain '${part}'`),
	],
	["an end", path({ path: "/a/.." }), [`${at}.path: Invalid value: "/a/..": cannot end with '/..'`]],
	["no backend", backend({}), [`${at}.backend: Invalid value: "": resource or service backend is required`]],
	[
		"no port",
		backend({ service: { name: "web" } }),
		[`${at}.backend: Required value: port name or number is required`],
	],
	[
		"two ports",
		backend({ service: { name: "web", port: { name: "a", number: 1 } } }),
		[`${at}.backend: Invalid value: "": cannot set both port name & port number`],
	],
	[
		"a wrong port",
		backend({ service: { name: "web", port: { number: 70000 } } }),
		[`${at}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive`],
	],
	[
		"a resource",
		backend({ resource: { kind: "a/b", name: "" } }),
		[
			`${at}.backend.resource.kind: Invalid value: "a/b": may not contain '/'`,
			`${at}.backend.resource.name: Required value`,
		],
	],
])("an Ingress: %s", (_, spec, wrong) => {
	expect(problems("Ingress", spec)).toEqual(wrong);
});

test("hosts and secrets of TLS, and the class of an Ingress, are names", () => {
	const tls = [{ hosts: ["UPPER", "*.example.com"], secretName: "a_b" }];
	const found = problems(
		"Ingress",
		{ ...path({}), tls, ingressClassName: "A" },
		{
			name: "x",
			annotations: { "kubernetes.io/ingress.class": "other" },
		},
	);
	expect(found.map((text) => text.split(":")[0])).toEqual([
		"spec.tls[0].hosts[0]",
		"spec.tls[0].secretName",
		"spec.ingressClassName",
		"annotations.kubernetes.io/ingress.class",
	]);
});

test.each<[string, object, string[]]>([
	["is right", { cidrs: ["10.0.0.0/24", "2001:db8::/64"] }, []],
	["no range", { cidrs: [] }, ["spec.cidrs: Required value: at least one CIDR required"]],
	[
		"bits behind the prefix",
		{ cidrs: ["10.0.0.1/24"] },
		['spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length'],
	],
	[
		"not canonical",
		{ cidrs: ["2001:DB8::/64"] },
		['spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")'],
	],
	[
		"one family",
		{ cidrs: ["10.0.0.0/24", "10.1.0.0/24"] },
		[expect.stringContaining("may specify no more than one IP for each IP family")],
	],
	[
		"three",
		{ cidrs: ["10.0.0.0/24", "10.1.0.0/24", "10.2.0.0/24"] },
		[expect.stringContaining("may only hold up to 2 values")],
	],
])("a ServiceCIDR: %s", (_, spec, wrong) => {
	expect(problems("ServiceCIDR", spec)).toEqual(wrong);
});

test("of a ServiceCIDR only a second range may be added", () => {
	const stored = createFrom({
		apiVersion: "networking.k8s.io/v1",
		kind: "ServiceCIDR",
		metadata: { name: "x" },
		spec: { cidrs: ["10.0.0.0/24"] },
	}).object;
	const becomes = (...cidrs: string[]) => updateProblems(stored, (range) => Object.assign(range, { spec: { cidrs } }));
	expect(becomes("10.0.0.0/24", "2001:db8::/64")).toEqual([]);
	expect(becomes("10.0.0.0/24", "2001:db8::1/64")).toHaveLength(1);
	expect(becomes("10.1.0.0/24")).toEqual(['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']);
	expect(becomes()).toEqual(["spec.cidrs: Invalid value: []: field is immutable"]);
});

const parentRef = { resource: "services", name: "web", namespace: "default" };

test.each<[string, string, object, string[]]>([
	["is right", "2001:db8::1", { parentRef }, []],
	[
		"leading zeros",
		"10.0.0.01",
		{ parentRef },
		['metadata.name: Invalid value: "10.0.0.01": must not have leading 0s'],
	],
	[
		"not canonical",
		"2001:db8::0:1",
		{ parentRef },
		['metadata.name: Invalid value: "2001:db8::0:1": must be in canonical form ("2001:db8::1")'],
	],
	[
		"IPv4 in IPv6",
		"::ffff:10.0.0.1",
		{ parentRef },
		['metadata.name: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address'],
	],
	["no parent", "10.0.0.1", {}, ["spec.parentRef: Required value"]],
	[
		"a wrong parent",
		"10.0.0.1",
		{ parentRef: { ...parentRef, resource: "a/b", name: "" } },
		["spec.parentRef.resource: Invalid value: \"a/b\": may not contain '/'", "spec.parentRef.name: Required value"],
	],
])("an IPAddress: %s", (_, name, spec, wrong) => {
	expect(problems("IPAddress", spec, { name })).toEqual(wrong);
});

const parameters = (more: object) => ({
	controller: "example.com/x",
	parameters: { kind: "Boat", name: "eight", ...more },
});
const parametersAt = "spec.parameters.namespace";

test.each<[string, object, string[]]>([
	["is right", parameters({ scope: "Namespace", namespace: "default" }), []],
	["no name", parameters({ name: "" }), ["spec.parameters.name: Required value"]],
	[
		"another scope",
		parameters({ scope: "World" }),
		['spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"'],
	],
	[
		"no namespace",
		parameters({ scope: "Namespace" }),
		[`${parametersAt}: Required value: \`parameters.scope\` is set to 'Namespace'`],
	],
	[
		"a namespace",
		parameters({ namespace: "default" }),
		[`${parametersAt}: Forbidden: \`parameters.scope\` is set to 'Cluster'`],
	],
	[
		"a wrong path",
		{ controller: "example.com/a b" },
		[expect.stringContaining('Invalid value: "a b": Invalid path (regex used for validation is')],
	],
])("an IngressClass: %s", (_, spec, wrong) => {
	expect(problems("IngressClass", spec)).toEqual(wrong);
});

test("a NetworkPolicy: ports before peers, two types, and ranges that were there stay", () => {
	const block = { ipBlock: { cidr: "010.0.0.0/8" } };
	const ingress = [{ ports: [{ protocol: "ICMP", port: 1, endPort: 0 }], from: [{}, block] }];
	const found = problems("NetworkPolicy", { podSelector: {}, ingress, policyTypes: ["Ingress", "Egress", "Ingress"] });
	expect(found.map((text) => text.slice(0, 80).split(": ").slice(0, 2).join(": "))).toEqual([
		"spec.ingress[0].ports[0].protocol: Unsupported value",
		"spec.ingress[0].ports[0].endPort: Invalid value",
		"spec.ingress[0].ports[0].endPort: Invalid value",
		"spec.ingress[0].from[0]: Required value",
		"spec.ingress[0].from[1].ipBlock.cidr: Invalid value",
		"spec.policyTypes: Invalid value",
	]);
	const stored = createFrom({
		apiVersion: "networking.k8s.io/v1",
		kind: "NetworkPolicy",
		metadata: { name: "x" },
		spec: { podSelector: {}, ingress: [{ from: [block] }] },
	}).object;
	expect(updateProblems(stored, (policy) => Object.assign(policy.metadata, { labels: { a: "b" } }))).toEqual([]);
});
