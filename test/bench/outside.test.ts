import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

test("the benchmark from outside measures requests, watches and workloads", () => {
	const sections = ["creates", "lists", "watches", "jobs", "deployment"];
	const args = ["--import", "tsx", "scripts/bench.ts", "outside", "--scale", "0.01", "--timeout", "90", ...sections];
	const { stdout, status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
	expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
	for (const section of [
		"creates, 32 clients",
		"LIST of 50, gzip",
		"100 × 20",
		"10 Jobs of one pod",
		"Deployment of 5",
	])
		expect(stdout).toContain(section);
	expect(stdout).toMatch(/^ {4}server: [\d.]+ µs each, .*main [\d.]+/m);
	expect(stdout).toMatch(/^ {4}nodes: [\d.]+ µs each/m);
	expect(stdout).toMatch(/^ {4}store: \d+ writes in \d+ groups of [\d.]+, [\d.]+ ms each$/m);
	// The last line of the timeline of Jobs.
	expect(stdout).toMatch(/^ +[\d.]+( +10){6}$/m);
});
