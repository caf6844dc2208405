import { expect, test } from "vitest";
import type { Pod, PodSpec } from "../../kinds/generated/types.ts";
import { podRequests } from "./requests.ts";

function assumed(spec: PodSpec) {
	const metadata = { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "" };
	const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
	return podRequests(pod).assumed;
}

test("what neither a container nor the pod as a whole asks for is assumed when nodes are compared", () => {
	const mebibyte = 1024 ** 2;
	const containers = [{ name: "one", resources: { requests: { cpu: "1" } } }, { name: "two" }];
	expect(assumed({ containers })).toEqual({ milliCpu: 1100, memoryBytes: 400 * mebibyte });
	const whole = (requests: Record<string, string>) => assumed({ containers, resources: { requests } });
	expect(whole({ memory: "1Mi" })).toEqual({ milliCpu: 1000, memoryBytes: mebibyte });
	expect(whole({ cpu: "2" })).toEqual({ milliCpu: 2000, memoryBytes: 400 * mebibyte });
	expect(assumed({ containers: [{ name: "one", resources: { requests: { cpu: "0", memory: "0" } } }] })).toEqual({
		milliCpu: 0,
		memoryBytes: 0,
	});
});
