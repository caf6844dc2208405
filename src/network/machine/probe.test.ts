import { expect, test } from "vitest";
import { isRecent } from "./probe.ts";

test.each([
	["4.19.0-26-amd64", false],
	["5.11.22", false],
	["5.12.0", true],
	["5.15.167.4-microsoft-standard-WSL2", true],
	["6.1.0-18-amd64", true],
])("the kernel %s runs real nodes: %s", (kernel, recent) => {
	expect(isRecent(kernel)).toBe(recent);
});
