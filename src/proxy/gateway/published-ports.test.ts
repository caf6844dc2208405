import { expect, test } from "vitest";
import type { Pod, Service } from "../../kinds/generated/types.ts";
import { type PublishInput, publishedPorts } from "./published-ports.ts";

const metadata = (name: string, creationTimestamp = "2026-01-01T00:00:00Z") => ({
	name,
	namespace: "default",
	uid: name,
	resourceVersion: "1",
	creationTimestamp,
});
const balanced = (name: string, port: number, more: object = {}): Service => ({
	apiVersion: "v1",
	kind: "Service",
	metadata: metadata(name),
	spec: { type: "LoadBalancer", clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ports: [{ port }], ...more },
});
const pod = (name: string, podIP: string, hostPort: object): Pod => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: metadata(name),
	spec: { containers: [{ name: "c", ports: [{ containerPort: 80, ...hostPort }] }] },
	status: { phase: "Running", podIP },
});
const publish = (input: Partial<PublishInput>) =>
	publishedPorts({
		services: [],
		slicesOf: () => [],
		pods: [],
		address: "127.0.0.1",
		balancerAddress: () => "192.0.2.1",
		...input,
	});

test("where load balancers share an address, the older Service has a port", () => {
	const old = { ...balanced("old", 80), metadata: metadata("old", "2025-01-01T00:00:00Z") };
	const { ports, balancers } = publish({ services: [balanced("new", 80), balanced("other", 81), old] });
	expect([...ports.keys()]).toEqual(["TCP 192.0.2.1:80", "TCP 192.0.2.1:81"]);
	expect(balancers.get("default/new")).toEqual({
		problem: "port 80 of 192.0.2.1 is the load balancer of Service default/old",
	});
	expect(balancers.get("default/old")).toEqual({ address: "192.0.2.1", ports: ["TCP 192.0.2.1:80"] });
});

test("a load balancer with an SCTP port says that it cannot be had", () => {
	const { balancers } = publish({ services: [balanced("web", 80, { ports: [{ port: 80, protocol: "SCTP" }] })] });
	expect(balancers.get("default/web")).toEqual({ problem: "port 80: SCTP is not published, only TCP and UDP are" });
});

test("pods of several nodes share a host port; one of the nodes' loopback addresses stays on the machine's", () => {
	const pods = [pod("a", "10.244.1.2", { hostPort: 81 }), pod("b", "10.244.2.2", { hostPort: 81 })];
	const inside = pod("c", "10.244.1.3", { hostPort: 82, hostIP: "127.0.0.1" });
	const { ports } = publish({ pods: [...pods, inside], address: "192.0.2.1" });
	expect([...ports.keys()]).toEqual(["TCP 192.0.2.1:81"]);
	expect(ports.get("TCP 192.0.2.1:81")?.target.endpoints).toEqual([
		{ address: "10.244.1.2", port: 80 },
		{ address: "10.244.2.2", port: 80 },
	]);
	expect([...publish({ pods: [inside] }).ports.keys()]).toEqual(["TCP 127.0.0.1:82"]);
});
