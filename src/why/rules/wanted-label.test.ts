import { expect, test } from "vitest";
import { wantedLabel } from "./wanted-label.ts";

test("the label that nodes lack is named, unless an affinity asks for more", () => {
	expect(wantedLabel({ nodeSelector: { disk: "ssd", gpu: "true" } })).toBe("disk=ssd gpu=true");
	expect(wantedLabel({ nodeSelector: { disk: "ssd" }, affinity: { nodeAffinity: {} } })).toBe("");
});
