import { describe, expect, test } from "vitest";
import type { EndpointSlice, Service } from "../kinds/generated/types.ts";
import { clusterAnswer, type DnsView } from "./dns-records.ts";

const meta = (name: string) => ({ name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "" });
const service = (name: string, spec: Service["spec"]): Service => ({
	apiVersion: "v1",
	kind: "Service",
	metadata: meta(name),
	spec,
});

const all: Service[] = [
	service("web", {
		clusterIP: "10.96.0.20",
		clusterIPs: ["10.96.0.20"],
		ports: [{ name: "http", port: 80, protocol: "TCP" }],
	}),
	service("db", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "sql", port: 3306 }] }),
	service("empty", { clusterIP: "None", clusterIPs: ["None"] }),
	service("out", { type: "ExternalName", externalName: "example.org" }),
];
const slices: EndpointSlice[] = [
	{
		apiVersion: "discovery.k8s.io/v1",
		kind: "EndpointSlice",
		metadata: { ...meta("db-1"), labels: { "kubernetes.io/service-name": "db" } },
		addressType: "IPv4",
		ports: [{ name: "sql", port: 3306, protocol: "TCP" }],
		endpoints: [
			{ addresses: ["10.244.1.5"], hostname: "db-0", conditions: { ready: true } },
			{ addresses: ["10.244.2.5"], hostname: "db-1", conditions: { ready: false } },
			{ addresses: ["10.244.3.5"], conditions: { ready: true } },
		],
	},
	{
		apiVersion: "discovery.k8s.io/v1",
		kind: "EndpointSlice",
		metadata: { ...meta("web-1"), labels: { "kubernetes.io/service-name": "web" } },
		addressType: "IPv4",
		ports: [{ name: "http", port: 8080, protocol: "TCP" }],
		endpoints: [{ addresses: ["10.244.1.9"], hostname: "web-0", conditions: { ready: true } }],
	},
];
const view: DnsView = {
	service: (namespace, name) => all.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
	slices: (_namespace, name) =>
		slices.filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name),
	namespaceExists: (name) => name === "default",
	servicesAt: (address) => all.filter(({ spec }) => spec?.clusterIP === address),
	slicesAt: (address) =>
		slices.filter(({ endpoints }) => endpoints?.some(({ addresses }) => addresses.includes(address))),
};
const ask = (name: string, type: string) => clusterAnswer(name, type, "cluster.local", view);
const data = (name: string, type: string) => ask(name, type)?.answers.map((record) => record.data);

describe("cluster DNS", () => {
	test("answers a service with its cluster IP, whatever the case of the name", () => {
		expect(data("Web.Default.svc.Cluster.Local", "A")).toEqual(["10.96.0.20"]);
	});
	test("answers a headless service with its ready endpoints", () => {
		expect(data("db.default.svc.cluster.local", "A")).toEqual(["10.244.1.5", "10.244.3.5"]);
	});
	test("answers the name of a StatefulSet's pod", () => {
		expect(data("db-0.db.default.svc.cluster.local", "A")).toEqual(["10.244.1.5"]);
	});
	test("names an endpoint without hostname by its address", () => {
		expect(data("10-244-3-5.db.default.svc.cluster.local", "A")).toEqual(["10.244.3.5"]);
	});
	test("names endpoints of a service with an address, too", () => {
		expect(data("web-0.web.default.svc.cluster.local", "A")).toEqual(["10.244.1.9"]);
		expect(data("9.1.244.10.in-addr.arpa", "PTR")).toEqual(["web-0.web.default.svc.cluster.local"]);
	});
	test("does not know a pod that is not ready", () => {
		expect(ask("db-1.db.default.svc.cluster.local", "A")?.exists).toBe(false);
	});
	test("answers SRV of a named port with the pods' names and addresses", () => {
		const answer = ask("_sql._tcp.db.default.svc.cluster.local", "SRV");
		expect(answer?.answers.map((record) => record.data)).toEqual([
			{ priority: 0, weight: 50, port: 3306, target: "db-0.db.default.svc.cluster.local" },
			{ priority: 0, weight: 50, port: 3306, target: "10-244-3-5.db.default.svc.cluster.local" },
		]);
		expect(answer?.additionals.map((record) => record.data)).toEqual(["10.244.1.5", "10.244.3.5"]);
	});
	test("answers an ExternalName with its alias", () => {
		expect(ask("out.default.svc.cluster.local", "A")?.answers).toEqual([
			{ type: "CNAME", name: "out.default.svc.cluster.local", data: "example.org" },
		]);
	});
	test("answers names of pods by address", () => {
		expect(data("10-1-2-3.default.pod.cluster.local", "A")).toEqual(["10.1.2.3"]);
		expect(ask("10-1-2-3.nowhere.pod.cluster.local", "A")?.exists).toBe(false);
	});
	test("tells a name without such records from one that does not exist", () => {
		expect(ask("web.default.svc.cluster.local", "AAAA")).toMatchObject({ exists: true, answers: [] });
		expect(ask("default.svc.cluster.local", "A")).toMatchObject({ exists: true, answers: [] });
		expect(ask("nothing.default.svc.cluster.local", "A")).toMatchObject({ exists: false });
		expect(ask("empty.default.svc.cluster.local", "A")).toMatchObject({ exists: false });
	});
	test("answers PTR for cluster IPs and for endpoints of headless services", () => {
		expect(data("20.0.96.10.in-addr.arpa", "PTR")).toEqual(["web.default.svc.cluster.local"]);
		expect(data("5.1.244.10.in-addr.arpa", "PTR")).toEqual(["db-0.db.default.svc.cluster.local"]);
	});
	test("leaves other names to others", () => {
		expect(ask("example.org", "A")).toBeUndefined();
		expect(ask("8.8.8.8.in-addr.arpa", "PTR")).toBeUndefined();
		expect(ask("web.default.svc.cluster.local.example.org", "A")).toBeUndefined();
	});
});
