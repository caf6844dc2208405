/** What commands print: errors for invalid command lines, and results. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
	await using cluster = TestCluster.empty("data");
	expect(await cluster.coxOk()).toMatch(/^There is no cluster in .*\n\n {2}cox up --nodes 3 /);
	expect(JSON.parse(await cluster.coxOk("version", "--json"))).toMatchObject({ server: null });
	const described = {
		apiVersion: "coxswain.io/v1",
		kind: "Cluster",
		runtime: "simulated",
		nodes: [{ name: "node-1", labels: { zone: "a" }, taints: [{ key: "gpu", effect: "NoSchedule" }] }],
	};
	const file = join(cluster.data, "../cluster.yaml");
	writeFileSync(file, JSON.stringify(described));
	expect(await cluster.coxOk("config", file)).toBe("runtime: simulated\nnode node-1  zone=a  taint gpu:NoSchedule\n");
	await cluster.coxOk("up", "-f", file);
	const node = JSON.parse(await cluster.kubectl("get", "node", "node-1", "--output=json"));
	expect(node.metadata.labels.zone).toBe("a");
	expect(node.spec.taints).toEqual([{ key: "gpu", effect: "NoSchedule" }]);
	await cluster.coxOk("up", "-f", file);
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
	await completesNames(cluster);
	await joinsKubeconfigs(cluster);
	await reportsWithoutSecrets(cluster);
	await cluster.coxOk("down");
	expect(await cluster.coxOk()).toContain("is stopped: 1 node, simulated runtime.");
});

async function completesNames(cluster: TestCluster): Promise<void> {
	const script = await cluster.coxOk("completion", "bash");
	const program = join(cluster.data, "cox");
	writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${join(root, "bin/cox.js")} "$@"\n`, { mode: 0o755 });
	const complete = `COMP_WORDS=(${program} node remove no); COMP_CWORD=3; _cox; echo "\${COMPREPLY[@]}"`;
	const { stdout } = await run("bash", ["-c", `${script}\n${complete}`], { env: { COX_DATA: cluster.data } });
	expect(stdout).toBe("node-1\n");
	expect(await cluster.coxOk("completion", "words", "--", "why", "")).toContain("pod/lonely\n");
	expect(await cluster.coxOk("completion", "words", "--", "clo")).toMatch(/^clock\tshow or control/m);
}

async function joinsKubeconfigs(cluster: TestCluster): Promise<void> {
	const known = JSON.parse(await cluster.coxOk("clusters", "--json")) as { name: string; data: string }[];
	const own = known.find(({ data }) => data === cluster.data);
	expect(own).toMatchObject({ state: "running", nodes: 1, isDefault: true });
	const name = own?.name ?? "";
	const file = join(cluster.data, "kubeconfig-mine");
	await cluster.coxOk("clusters", "use", name, "--kubeconfig", file);
	expect(await cluster.kubectl("--kubeconfig", file, "get", "pods", "--output=name")).toBe("pod/lonely\n");
	await cluster.coxOk("clusters", "unuse", name, "--kubeconfig", file);
	expect(await cluster.kubectl("--kubeconfig", file, "config", "get-contexts", "--output=name")).toBe("");
}

async function reportsWithoutSecrets(cluster: TestCluster): Promise<void> {
	const archive = join(cluster.data, "report.tar.gz");
	appendFileSync(join(cluster.data, "server.log"), readFileSync(cluster.kubeconfig));
	appendFileSync(join(cluster.data, "server.log"), readFileSync(join(cluster.data, "pki/ca.key")));
	await cluster.coxOk("report", "--output", archive);
	const { stdout } = await run("tar", ["--extract", "--gzip", "--to-stdout", "--file", archive]);
	expect(stdout).toContain('"kubernetes": "v1.');
	expect(stdout).toContain('"name": "namespaces"');
	const keys = readFileSync(join(cluster.data, "pki/ca.key"), "utf8")
		.split("\n")
		.filter((line) => line.length > 30);
	const kubeconfig = JSON.parse(readFileSync(cluster.kubeconfig, "utf8"));
	for (const secret of [...keys, kubeconfig.users[0].user["client-key-data"]]) expect(stdout).not.toContain(secret);
}
