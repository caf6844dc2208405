import { expect, test } from "vitest";
import { decode } from "../schema.ts";

const pod = (metadata: object, spec: object) => ({ metadata, spec: { containers: [], ...spec } });

test.each([
	[pod({ labels: "invalid" }, {}), "cannot restore map from string"],
	[pod({}, { volumes: { name: "a" } }), "cannot restore slice from map"],
	[pod({}, { securityContext: ["a"] }), "cannot restore struct from: slice"],
	[pod({}, { nodeName: 1 }), "cannot convert int64 to string"],
	[pod({}, { nodeName: 1.5 }), "unrecognized type: string"],
	[pod({}, { hostPID: 1 }), "unrecognized type: bool"],
	[pod({}, { priority: 1.5 }), "cannot convert float64 to int32"],
	[pod({}, { priority: true }), "unrecognized type: int32"],
	[
		pod({}, { overhead: { cpu: {} } }),
		"json: cannot unmarshal object into Go struct field PodSpec.spec.overhead.cpu of type resource.Quantity",
	],
])("of maps, %j is refused in the words of upstream's conversion", (value, message) => {
	const { problems } = decode(value, "Pod", undefined, { isMap: true });
	expect(problems.map((problem) => problem.message)).toEqual([message]);
});
