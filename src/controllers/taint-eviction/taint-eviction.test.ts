import { expect, test } from "vitest";
import type { Pod } from "../../kinds/generated/types.ts";
import { planCases } from "../testing/cases.ts";
import { taintEvictionController } from "./controller.ts";

planCases(taintEvictionController, new URL("./testdata/", import.meta.url));

test("a taint that does not say since when it is counts from when it was first seen", () => {
	const pod = {
		metadata: { namespace: "default", name: "web", uid: "1" },
		spec: { nodeName: "node-1", tolerations: [{ key: "k", operator: "Exists", tolerationSeconds: 5 }] },
	} as unknown as Pod;
	const state = { pod, taints: [{ key: "k", effect: "NoExecute" }], found: {} };
	const at = (nowMs: number) => taintEvictionController.plan(state, { nowMs, random: () => 0, waitedMs: 0 });
	expect(at(1000)).toEqual({ actions: [], requeueAtMs: 6000 });
	expect(at(4000)).toEqual({ actions: [], requeueAtMs: 6000 });
	expect(at(6000).actions).not.toEqual([]);
});
