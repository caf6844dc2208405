import { describe, expect, test } from "vitest";
import type { Node, Pod, PodSpec } from "../../kinds/generated/types.ts";
import { noPressure, type Pressure } from "../machine/pressure.ts";
import { admissionVerdict } from "./admission.ts";

const metadata = (name: string) => ({
	name,
	namespace: "default",
	uid: name,
	resourceVersion: "1",
	creationTimestamp: "",
});
const pod = (name: string, spec: Partial<PodSpec>): Pod => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: metadata(name),
	spec: { containers: [], ...spec },
});
const cpu = (amount: string) => ({ containers: [{ name: "c", resources: { requests: { cpu: amount } } }] });
const node: Node = {
	apiVersion: "v1",
	kind: "Node",
	metadata: { ...metadata("node-1"), labels: { disk: "ssd" } },
	spec: { taints: [{ key: "gone", effect: "NoExecute" }] },
	status: { allocatable: { "example.com/dongle": "3" } },
};
const tolerations = [{ key: "gone", operator: "Exists" }];
const verdict = (spec: Partial<PodSpec>, others: Pod[] = [], pods = 10, pressure: Pressure = noPressure) =>
	admissionVerdict(pod("new", { tolerations, ...spec }), {
		node,
		sysctls: ["net.ipv4.tcp_syncookies"],
		allocatable: new Map([
			["cpu", 2],
			["pods", pods],
		]),
		others,
		pressure,
	});

describe("a node", () => {
	test("looks at kernel parameters before all else", () => {
		const sysctls = [{ name: "vm.dirty_expire_centisecs", value: "1" }];
		expect(verdict({ ...cpu("500"), securityContext: { sysctls } })).toEqual({
			reason: "SysctlForbidden",
			message: 'Pod was rejected: forbidden sysctl: "vm.dirty_expire_centisecs" not allowlisted',
		});
	});

	test("under pressure takes critical pods, and for want of memory those that say what they need or tolerate it", () => {
		const memory: Pressure = new Set(["MemoryPressure"]);
		const disk: Pressure = new Set(["DiskPressure"]);
		const tolerated = [...tolerations, { key: "node.kubernetes.io/memory-pressure", operator: "Exists" }];
		expect(verdict({}, [], 10, memory)).toEqual({
			reason: "Evicted",
			message: "Pod was rejected: The node had condition: [MemoryPressure]. ",
		});
		expect(verdict(cpu("1"), [], 10, memory)).toBeUndefined();
		expect(verdict({ tolerations: tolerated }, [], 10, memory)).toBeUndefined();
		expect(verdict(cpu("1"), [], 10, disk)?.message).toContain("[DiskPressure]");
		expect(verdict({ priority: 2_000_001_000 }, [], 10, disk)).toBeUndefined();
	});

	test("takes what fits, and refuses what does not with the sums", () => {
		expect(verdict(cpu("500m"), [pod("a", cpu("1500m"))])).toBeUndefined();
		expect(verdict(cpu("501m"), [pod("a", cpu("1500m"))])).toEqual({
			reason: "OutOfcpu",
			message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
		});
		expect(verdict({}, [pod("a", {})], 1)?.reason).toBe("OutOfpods");
	});
	test("gives extended resources as far as someone advertised them, and leaves unknown ones to others", () => {
		const asks = (name: string, amount: string) => ({
			containers: [{ name: "c", resources: { requests: { [name]: amount } } }],
		});
		expect(verdict(asks("example.com/dongle", "3"))).toBeUndefined();
		expect(verdict(asks("example.com/dongle", "2"), [pod("a", asks("example.com/dongle", "2"))])?.reason).toBe(
			"OutOfexample.com/dongle",
		);
		expect(verdict(asks("example.com/licence", "1"))).toBeUndefined();
	});
	test("counts an init container only as far as it asks for more than the others together", () => {
		const initContainers = [{ name: "i", resources: { requests: { cpu: "2" } } }];
		expect(verdict({ ...cpu("1"), initContainers })).toBeUndefined();
		const sidecar = [{ name: "s", restartPolicy: "Always", resources: { requests: { cpu: "1500m" } } }];
		expect(verdict({ ...cpu("1"), initContainers: sidecar })?.reason).toBe("OutOfcpu");
	});
	test("refuses pods that it does not match, and those that do not tolerate it", () => {
		expect(verdict({ nodeSelector: { disk: "ssd" } })).toBeUndefined();
		expect(verdict({ nodeSelector: { disk: "hdd" } })?.reason).toBe("NodeAffinity");
		expect(verdict({ tolerations: [] })?.reason).toBe("TaintToleration");
	});
	test("gives a host port once", () => {
		const ports = { containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 8080 }] }] };
		expect(verdict(ports, [pod("a", ports)])?.reason).toBe("NodePorts");
	});
});
