/** What commands print: errors for invalid command lines, and results. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, root, run, TestCluster } from "./cluster.ts";

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
			[["statsu"], "unknown command 'statsu'\n(Did you mean status?)"],
			[["node", "lst"], "unknown command 'lst'\n(Did you mean list?)"],
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

test("cox alone says where things stand, and commands that read print JSON on request", async () => {
	const lonely = {
		apiVersion: "v1",
		kind: "Pod",
		metadata: { name: "lonely" },
		spec: { nodeSelector: { disk: "none" }, containers: [{ name: "app", image: "app" }] },
	};
	await using cluster = TestCluster.empty();
	expect(await cluster.coxOk()).toMatch(/^There is no cluster in .*\n\n {2}cox up --nodes 3 /);
	expect(JSON.parse(await cluster.coxOk("version", "--json"))).toMatchObject({ server: null });
	await cluster.coxOk("up", "--runtime", "simulated");
	await cluster.kubectlInput(JSON.stringify(lonely), "apply", "-f", "-");
	const text = await eventually(async () => {
		const said = await cluster.coxOk();
		expect(said).toContain("1 problem:");
		return said;
	});
	expect(text).toMatch(/is running: 1 node, 1 pod\.\n/);
	expect(text).toMatch(/^ {2}default pod\/lonely: .*\S/m);
	const [nodes, clock, versions] = await Promise.all(
		[["node", "list"], ["clock", "show"], ["version"]].map(async (words) =>
			JSON.parse(await cluster.coxOk(...words, "--json")),
		),
	);
	expect(nodes).toMatchObject([{ name: "node-1", ready: true }]);
	expect(clock).toMatchObject({ kind: "system" });
	expect(versions.server.kubernetes).toBe(versions.client.kubernetes);
	await cluster.coxOk("down");
	expect(await cluster.coxOk()).toContain("is stopped: 1 node, simulated runtime.");
});
