/** `cox test` and `cox types` of dist/, and the workflow that uses them. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { eventually, kubectlPath, root, run } from "./cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "cox-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = join(root, "bin/cox.js");
const definition = join(root, "examples/ci/crd.yaml");
// Its clusters are in a folder of this test.
const env = { TMPDIR: folder, PATH: `${dirname(kubectlPath)}:${process.env.PATH}` };
const cox = (...args: string[]) => run(process.execPath, [program, ...args], { env });
const clusters = () => readdirSync(folder).filter((name) => name.startsWith("cox-test-"));

test("a command finds a fresh cluster with its resources, and nothing is left of it", async () => {
	const script =
		'kubectl get nodes -o name; kubectl get crd -o name; cox clock show >/dev/null && ls -d "$KUBECACHEDIR" "$COX_DATA"; exit 7';
	const withCox = `cox() { "${process.execPath}" "${program}" "$@"; }; ${script}`;
	const args = ["test", "--nodes", "2", "--crds", definition, "--clock", "virtual", "--", "sh", "-c", withCox];
	const { code, stdout, stderr } = await cox(...args);
	const [data = ""] = stdout.trim().split("\n").slice(-2);
	expect({ code, lines: stdout.trim().split("\n"), stderr }).toEqual({
		code: 7,
		lines: [
			"node/node-1",
			"node/node-2",
			"customresourcedefinition.apiextensions.k8s.io/boats.example.com",
			expect.stringContaining("cox-test-"),
			// What kubectl remembers goes, too: the next cluster may have this port, and other resources.
			`${data}/kubectl-cache`,
		],
		stderr: expect.any(String),
	});
	expect(existsSync(data)).toBe(false);
	expect(clusters()).toEqual([]);
});

test("what is wrong is said before a cluster starts, and a command that does not exist is an error", async () => {
	const missing = await cox("test", "--crds", "none.yaml", "--", "true");
	expect({ code: missing.code, text: missing.stderr }).toEqual({
		code: 1,
		text: "cox: none.yaml: there is no such file or folder\n",
	});
	expect((await cox("test", "--nodes", "0", "--", "no-such-command")).code).toBe(127);
	expect(clusters()).toEqual([]);
});

/** @param script says when it runs */
function start(script: string) {
	const args = [program, "test", "--nodes", "0", "--", "sh", "-c", script];
	const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...env } });
	const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
	const started = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
	return { child, ended, started };
}

test("a signal is passed on, and the cluster goes", async () => {
	const { child, ended, started } = start("trap 'exit 3' TERM; echo started; while :; do sleep 0.1; done");
	await started;
	child.kill("SIGTERM");
	expect(await ended).toBe(3);
	expect(clusters()).toEqual([]);
});

test("the cluster and its command go even when this command is killed", async () => {
	const { child, ended, started } = start("echo started; sleep 1000; true");
	await started;
	expect(clusters()).toHaveLength(1);
	child.kill("SIGKILL");
	// The pipe closes when nobody of the command has it any more.
	await ended;
	await eventually(async () => expect(clusters()).toEqual([]));
});

test("types are written to a file or to standard output", async () => {
	const file = join(folder, "boats.ts");
	expect(await cox("types", definition, "-o", file)).toEqual({ code: 0, stdout: "", stderr: "" });
	const { stdout } = await cox("types", definition);
	expect(readFileSync(file, "utf8")).toBe(stdout);
	expect(stdout).toContain("export interface Boat extends KubeObject {");
});

test("the steps of the workflow run, in a repository with a definition and samples", async () => {
	const workflow: { jobs: { test: { steps: { name?: string; run?: string }[] } } } = parse(
		readFileSync(join(root, "examples/ci/operator.yml"), "utf8"),
	);
	const repository = join(folder, "repository");
	mkdirSync(join(repository, "config/crd/bases"), { recursive: true });
	mkdirSync(join(repository, "config/samples"));
	writeFileSync(join(repository, "config/crd/bases/boats.yaml"), readFileSync(definition));
	const sample = { apiVersion: "example.com/v1", kind: "Boat", metadata: { name: "eight" }, spec: { oars: 8 } };
	writeFileSync(join(repository, "config/samples/boat.json"), JSON.stringify(sample));
	// Neither a registry nor Go is needed to see that the steps do what they say.
	const stand = [
		"npm() { :; }",
		`cox() { "${process.execPath}" "${program}" "$@"; }`,
		'go() { "$KUBEBUILDER_ASSETS/etcd" --help > /dev/null && "$KUBEBUILDER_ASSETS/kube-apiserver" --help > /dev/null; }',
	].join("\n");
	const steps = workflow.jobs.test.steps.flatMap(({ run: script }) => script ?? []);
	const { code, stdout } = await run("bash", ["-euo", "pipefail", "-c", `${stand}\n${steps.join("\n")}`], {
		cwd: repository,
		env: { ...env, RUNNER_TEMP: folder },
	});
	expect({ code, stdout }).toMatchObject({
		code: 0,
		stdout: expect.stringMatching(/boat.example.com\/eight serverside-applied/),
	});
});
