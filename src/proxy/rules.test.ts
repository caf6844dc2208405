import { describe, expect, test } from "vitest";
import type { Endpoint, EndpointSlice, Service } from "../kinds/generated/types.ts";
import { servicePorts } from "./rules.ts";

const metadata = { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" };
const service = (spec: NonNullable<Service["spec"]>): Service => ({
	apiVersion: "v1",
	kind: "Service",
	metadata,
	spec: { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20"], ports: [{ name: "http", port: 80 }], ...spec },
});
const slice = (endpoints: Endpoint[]): EndpointSlice => ({
	apiVersion: "discovery.k8s.io/v1",
	kind: "EndpointSlice",
	metadata,
	addressType: "IPv4",
	ports: [{ name: "http", port: 8080, protocol: "TCP" }],
	endpoints,
});
const here = { addresses: ["10.244.1.2"], nodeName: "node-1", conditions: { ready: true } };
const there = { addresses: ["10.244.2.2"], nodeName: "node-2", conditions: { ready: true } };

describe("service rules", () => {
	test("lead a cluster IP and a node port to the ready endpoints", () => {
		const unready = { addresses: ["10.244.3.2"], conditions: { ready: false } };
		const ports = servicePorts(
			service({ ports: [{ name: "http", port: 80, nodePort: 30080 }] }),
			[slice([there, here, unready])],
			{ nodeName: "node-1" },
		);
		expect(ports).toEqual([
			{
				name: "default/web:http",
				protocol: "TCP",
				addresses: ["10.96.0.20"],
				port: 80,
				nodePort: 30080,
				endpoints: [
					{ address: "10.244.1.2", port: 8080 },
					{ address: "10.244.2.2", port: 8080 },
				],
			},
		]);
	});
	test("keep a service without endpoints, which refuses connections", () => {
		expect(servicePorts(service({}), [], { nodeName: "node-1" })).toMatchObject([{ endpoints: [] }]);
	});
	test("use endpoints that end, while they serve, when none is ready", () => {
		const ending = { addresses: ["10.244.3.2"], conditions: { ready: false, serving: true, terminating: true } };
		expect(servicePorts(service({}), [slice([ending])], { nodeName: "node-1" })[0]?.endpoints).toEqual([
			{ address: "10.244.3.2", port: 8080 },
		]);
		expect(servicePorts(service({}), [slice([ending, here])], { nodeName: "node-1" })[0]?.endpoints).toHaveLength(1);
	});
	test("use endpoints on the node that end where only other nodes have ready ones and traffic is to stay", () => {
		const ending = { ...here, conditions: { ready: false, serving: true, terminating: true } };
		const slices = [slice([ending, there])];
		const nodePort = [{ name: "http", port: 80, nodePort: 30080 }];
		const [inside] = servicePorts(service({ internalTrafficPolicy: "Local" }), slices, { nodeName: "node-1" });
		expect(inside?.endpoints).toEqual([{ address: "10.244.1.2", port: 8080 }]);
		const [outside] = servicePorts(service({ externalTrafficPolicy: "Local", ports: nodePort }), slices, {
			nodeName: "node-1",
		});
		expect(outside).toMatchObject({
			endpoints: [{ address: "10.244.2.2", port: 8080 }],
			localEndpoints: [{ address: "10.244.1.2", port: 8080 }],
		});
	});
	test("prefer endpoints for the node, then for its zone, where all are for someone", () => {
		const endpoint = (address: string, node: string, zone: string) => ({
			addresses: [address],
			conditions: { ready: true },
			hints: { forNodes: [{ name: node }], forZones: [{ name: zone }] },
		});
		const all = [
			endpoint("10.0.0.1", "node-1", "a"),
			endpoint("10.0.0.2", "node-2", "a"),
			endpoint("10.0.0.3", "node-3", "b"),
		];
		const from = (nodeName: string, zone: string, endpoints: Endpoint[] = all) =>
			servicePorts(service({}), [slice(endpoints)], { nodeName, zone })[0]?.endpoints.map(({ address }) => address);
		expect(from("node-2", "a")).toEqual(["10.0.0.2"]);
		expect(from("node-9", "a")).toEqual(["10.0.0.1", "10.0.0.2"]);
		expect(from("node-9", "c")).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
		expect(from("node-1", "a", [...all, { addresses: ["10.0.0.4"], conditions: { ready: true } }])).toHaveLength(4);
		const ending = { addresses: ["10.0.0.5"], conditions: { ready: false, serving: true, terminating: true } };
		expect(from("node-1", "a", [...all, ending])).toEqual(["10.0.0.1"]);
	});
	test("leave services of other proxies alone, and slices that are marked as headless", () => {
		const labels = { "service.kubernetes.io/service-proxy-name": "other" };
		const labelled = { ...service({}), metadata: { ...metadata, labels } };
		expect(servicePorts(labelled, [slice([here])], { nodeName: "node-1" })).toEqual([]);
		const marked = slice([here]);
		marked.metadata = { ...marked.metadata, labels: { "service.kubernetes.io/headless": "" } };
		const [port] = servicePorts(service({}), [marked, slice([there])], { nodeName: "node-1" });
		expect(port?.endpoints.map(({ address }) => address)).toEqual(there.addresses);
	});
	test("keep outside traffic on the node under externalTrafficPolicy Local", () => {
		const [port] = servicePorts(
			service({ externalTrafficPolicy: "Local", ports: [{ name: "http", port: 80, nodePort: 30080 }] }),
			[slice([here, there])],
			{ nodeName: "node-1" },
		);
		expect(port?.endpoints).toHaveLength(2);
		expect(port?.localEndpoints).toEqual([{ address: "10.244.1.2", port: 8080 }]);
	});
	test("keep inside traffic on the node under internalTrafficPolicy Local", () => {
		const [port] = servicePorts(service({ internalTrafficPolicy: "Local" }), [slice([here, there])], {
			nodeName: "node-1",
		});
		expect(port?.endpoints).toEqual([{ address: "10.244.1.2", port: 8080 }]);
	});
	test("carry session affinity with its time", () => {
		expect(
			servicePorts(service({ sessionAffinity: "ClientIP" }), [slice([here])], { nodeName: "node-1" })[0]
				?.affinitySeconds,
		).toBe(10_800);
	});
	test("leave out headless services, external names, and a service whose endpoint is its own address", () => {
		const own = slice([{ addresses: ["10.96.0.20"], conditions: { ready: true } }]);
		expect(
			servicePorts(service({ clusterIP: "None", clusterIPs: ["None"] }), [slice([here])], { nodeName: "node-1" }),
		).toEqual([]);
		expect(servicePorts(service({ type: "ExternalName" }), [slice([here])], { nodeName: "node-1" })).toEqual([]);
		expect(servicePorts(service({}), [own], { nodeName: "node-1" })).toEqual([]);
	});
});
