import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { nodeFlags } from "./package-files.ts";

test("the processes of a cluster can collect the garbage of their start", () => {
	const command = [...nodeFlags, "-e", "process.stdout.write(typeof globalThis.gc)"];
	expect(execFileSync(process.execPath, command, { encoding: "utf8" })).toBe("function");
});
