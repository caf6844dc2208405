/** A mount stays within its volume, whatever a container does to the volume at that moment. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exchangeNames, exchangerMissing } from "../../../core/testing/exchanger.ts";
import { encodePlan, list, namespaces, type Step } from "./plan.ts";
import { findLauncher } from "./program.ts";

describe.skipIf(process.getuid?.() !== 0 || exchangerMissing !== "")(
	`mounts of volumes that change (as root)${exchangerMissing}`,
	() => {
		let folder: string;
		beforeEach(() => {
			folder = mkdtempSync(`${tmpdir()}/cox-race-`);
			for (const name of ["volume/x", "root", "outside"]) mkdirSync(`${folder}/${name}`, { recursive: true });
			writeFileSync(`${folder}/volume/x/inside`, "");
			symlinkSync("/", `${folder}/volume/y`);
		});
		afterEach(() => rmSync(folder, { recursive: true }));

		/** Runs the steps in a new mount namespace, and then a script. */
		const run = (steps: Step[], script: string): { said: string; problem: string } => {
			const plan = `${folder}/plan`;
			const before: Step[] = [
				["exec", 0, 0, 0, 0],
				["unshare", namespaces.mount],
				["propagation", "private"],
			];
			const after: Step = ["run", ...list(["PATH=/usr/bin:/bin"]), ...list(["sh", "-c", script])];
			writeFileSync(plan, encodePlan([...before, ...steps, after]));
			const { stdout, stderr } = spawnSync(findLauncher(folder), [plan], { encoding: "utf8" });
			return { said: stdout.trim(), problem: stderr.trim() };
		};

		it("mounts a subPath or nothing: 0 of 200 lead out", async () => {
			const target = `${folder}/root`;
			const script = `[ -e ${target}/inside ] && echo inside || { [ -d ${target}/etc ] && echo ESCAPED || echo other; }`;
			const seen = new Map<string, number>();
			await using _attack = await exchangeNames(`${folder}/volume/x`, `${folder}/volume/y`);
			for (let attempt = 0; attempt < 200; attempt++) {
				const { said, problem } = run([["bind", "", `${folder}/volume`, "x", target, 0, 0, ""]], script);
				const verdict = problem === "" ? said : /leads out of the volume$/.test(problem) ? "refused" : problem;
				seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
			}
			expect([...seen.keys()].sort()).toEqual(["inside", "refused"]);
		});

		it("makes mount points only in the container's root, through links that change", async () => {
			mkdirSync(`${folder}/root/x`);
			symlinkSync(`${folder}/outside`, `${folder}/root/y`);
			const results = new Set<string>();
			await using _attack = await exchangeNames(`${folder}/root/x`, `${folder}/root/y`);
			for (let attempt = 0; attempt < 40; attempt++) {
				const steps: Step[] = [
					["root", `${folder}/root`],
					["bind", "", `${folder}/volume/x`, "", `/x/d${attempt}/e`, 0, 0, ""],
				];
				results.add(run(steps, "echo done").problem);
			}
			expect(readdirSync(`${folder}/outside`)).toEqual([]);
			expect(results.has("")).toBe(true);
		});
	},
);
