import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { parseQuantity } from "../../core/quantity.ts";
import { machineFacts } from "./machine-facts.ts";

const resource = "ephemeral-storage";

it("a node has the local storage of the file system that holds its pods, less what kubelets keep free", () => {
	const { blocks, bsize } = statfsSync(tmpdir());
	const { capacity, allocatable } = machineFacts("node-1", 110, tmpdir());
	expect(capacity[resource]).toBe(`${Math.floor((blocks * bsize) / 1024)}Ki`);
	const share = parseQuantity(allocatable[resource] ?? "") / parseQuantity(capacity[resource] ?? "");
	expect(share).toBeCloseTo(0.9, 5);
	// Otherwise the Node would be written repeatedly.
	expect(machineFacts("node-1", 110, tmpdir()).capacity).toEqual(capacity);
});

it("a node that stores nothing has the same storage on every machine", () => {
	expect(machineFacts("node-1", 110).capacity[resource]).toBe("104857600Ki");
});
