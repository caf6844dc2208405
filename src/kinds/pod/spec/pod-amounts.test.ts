import { describe, expect, test } from "vitest";
import type { Pod, PodSpec, PodStatus } from "../../generated/types.ts";
import { qosClass } from "../pod-qos.ts";
import { podAmounts, podAmountsNow } from "./pod-amounts.ts";

type Containers = PodSpec["containers"];

const asking = (...cpus: string[]): Containers =>
	cpus.map((cpu, index) => ({ name: `c${index}`, resources: { requests: { cpu } } }));

function podOf(spec: PodSpec, status: PodStatus): Pod {
	const metadata = { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "" };
	return { apiVersion: "v1", kind: "Pod", metadata, spec, status };
}

describe("what a pod asks for", () => {
	test("is what its containers and sidecars do, or an init container with the sidecars before it", () => {
		const initContainers: Containers = [
			{ name: "side", restartPolicy: "Always", resources: { requests: { cpu: "100m" } } },
			{ name: "setup", resources: { requests: { cpu: "1", memory: "1Gi" } } },
		];
		expect(podAmounts({ containers: asking("200m", "300m"), initContainers }, "requests")).toEqual({
			cpu: "1100m",
			memory: "1Gi",
		});
		expect(podAmounts({ containers: asking("1", "1"), initContainers }, "requests")).toMatchObject({ cpu: "2100m" });
	});

	test("does not follow from its limits: the API has written down what does", () => {
		const containers: Containers = [{ name: "c", resources: { limits: { cpu: "1" }, requests: { memory: "1Mi" } } }];
		expect(podAmounts({ containers }, "requests")).toEqual({ memory: "1Mi" });
		expect(podAmounts({ containers, resources: { limits: { memory: "1Gi" } } }, "requests")).toEqual({ memory: "1Mi" });
	});

	test("is what is said of it as a whole, of what containers share", () => {
		const resources = { requests: { memory: "2Gi", "hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi", "a.b/c": "1" } };
		expect(podAmounts({ containers: asking("1"), resources }, "requests")).toEqual({
			cpu: "1",
			memory: "2Gi",
			"hugepages-2Mi": "4Mi",
		});
	});

	test("has overhead on top, of limits only where there is one", () => {
		const limits = { cpu: "1", memory: "0" };
		const spec = { containers: [{ name: "c", resources: { limits } }], overhead: { cpu: "250m", memory: "120Mi" } };
		expect(podAmounts(spec, "requests")).toEqual({ cpu: "250m", memory: "120Mi" });
		expect(podAmounts(spec, "limits")).toEqual({ cpu: "1250m", memory: "0" });
	});
});

describe("what a pod counts with while it is resized", () => {
	const has = (cpu: string) => ({ resources: { requests: { cpu } }, allocatedResources: { cpu } });
	const infeasible: PodStatus = { conditions: [{ type: "PodResizePending", status: "True", reason: "Infeasible" }] };

	test("is the larger of what each container has and is to have", () => {
		const containerStatuses = [
			{ name: "c0", image: "", imageID: "", ready: true, restartCount: 0, ...has("3") },
			{ name: "c1", image: "", imageID: "", ready: true, restartCount: 0, ...has("1") },
		];
		const spec = { containers: asking("1", "2") };
		expect(podAmountsNow(podOf(spec, { containerStatuses }), "requests")).toEqual({ cpu: "5" });
		expect(podAmountsNow(podOf(spec, { containerStatuses, ...infeasible }), "requests")).toEqual({ cpu: "4" });
	});

	test("is the larger of what it has and is to have as a whole", () => {
		const spec = { containers: asking("1"), resources: { requests: { cpu: "8" } } };
		expect(podAmountsNow(podOf(spec, has("3")), "requests")).toEqual({ cpu: "8" });
		expect(podAmountsNow(podOf(spec, has("9")), "requests")).toEqual({ cpu: "9" });
		expect(podAmountsNow(podOf(spec, { ...has("3"), ...infeasible }), "requests")).toEqual({ cpu: "3" });
	});
});

test("a pod is guaranteed when each container requests what it is limited to, of CPU and memory", () => {
	const both = { cpu: "1", memory: "1Gi" };
	const full = { name: "c", resources: { limits: both, requests: { cpu: "1000m", memory: "1Gi" } } };
	expect(qosClass({ containers: [full] })).toBe("Guaranteed");
	expect(qosClass({ containers: [full], initContainers: [{ name: "i" }] })).toBe("Burstable");
	const zero = { name: "c", resources: { limits: both, requests: { cpu: "0", memory: "0" } } };
	expect(qosClass({ containers: [zero] })).toBe("Burstable");
	expect(qosClass({ containers: [full], resources: { requests: { cpu: "1" } } })).toBe("Burstable");
	expect(qosClass({ containers: [full], resources: { limits: both, requests: both } })).toBe("Guaranteed");
	expect(qosClass({ containers: [{ name: "c", resources: { requests: { cpu: "0" } } }] })).toBe("BestEffort");
});
