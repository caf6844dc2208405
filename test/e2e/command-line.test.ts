/** Error messages for invalid command lines. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, run } from "./cluster.ts";

test("mistakes on the command line are reported in one form, and none of them touches a file", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-line-"));
	writeFileSync(join(folder, "thesis.tex"), "");
	const cox = (...args: string[]) =>
		run(process.execPath, [join(root, "bin/cox.js"), ...args], {
			cwd: folder,
			env: { COX_DATA: join(folder, "none") },
		});
	try {
		const lines: [string[], string][] = [
			[["up", "--nodse", "3"], "unknown option '--nodse'\n(Did you mean --nodes?)"],
			[["snapshot", "save"], "missing required argument 'file'"],
			[["logs", "job/a", "--tail", "x"], "option '--tail <lines>' argument 'x' is invalid"],
			[["logs", "job/a", "--run", "b"], "job/a and --run b both name a run"],
			[["logs", "a"], "expected cronjob/a, job/a or run/a"],
			[["up", "--data", ""], "--data needs the path of a directory"],
			[["up", "--data", "."], "it has thesis.tex in it"],
			[["reset", "--data", "."], "nothing was deleted"],
		];
		const check = async ([args, message]: [string[], string]) => {
			const { code, stderr } = await cox(...args);
			expect({ code, args }).toEqual({ code: 1, args });
			expect(stderr).toMatch(/^cox: /);
			expect(stderr).toContain(message);
		};
		// None may still be running when the folder goes.
		const ends = await Promise.allSettled(lines.map(check));
		for (const end of ends) if (end.status === "rejected") throw end.reason;
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test("cox doctor finds what nodes with real pods need, and says of each check whether it is met", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-doctor-"));
	try {
		const { stdout, code } = await run(process.execPath, [join(root, "bin/cox.js"), "doctor", "--json"], {
			env: { COX_DATA: folder },
		});
		const found = JSON.parse(stdout) as { name: string; grade: string; remedy?: string }[];
		const gradeOf = (name: string) => found.find((one) => one.name === name)?.grade;
		expect(["Node.js", "namespaces", "overlay", "nftables", "ip"].map(gradeOf)).toEqual(Array(5).fill("good"));
		expect(code).toBe(0);
		const without = await run(process.execPath, [join(root, "bin/cox.js"), "doctor", "--data", join(folder, "none")]);
		expect(without.stdout).toMatch(/^✓ Node\.js {5}Node\.js \d+/);
	} finally {
		rmSync(folder, { recursive: true });
	}
});
