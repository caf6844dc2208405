/**
 * Clients that others have made, each doing what its users do. In the gate once; `npm run clients` repeats what may
 * race a hundred times.
 */
import "./old-node.ts";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k8s from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run, TestCluster } from "../e2e/cluster.ts";
import {
	type Checks,
	collector,
	executed,
	forwarded,
	informed,
	objectsByTheirKind,
	patchesOfEveryType,
	pod,
	running,
	until,
} from "./javascript.ts";

const rounds = process.env.COX_CLIENTS === "all" ? 100 : 2;
const namespace = "javascript";
const folder = mkdtempSync(join(tmpdir(), "cox-clients-"));
let cluster: TestCluster;
let checks: Checks;
beforeAll(async () => {
	cluster = await TestCluster.start("--nodes", "1");
	const config = new k8s.KubeConfig();
	config.loadFromFile(cluster.kubeconfig);
	checks = { config, namespace, rounds };
});
afterAll(async () => {
	await cluster?.[Symbol.asyncDispose]();
	rmSync(folder, { recursive: true });
});

describe("the Python client", () => {
	const python = "/usr/bin/python3";
	const library = "/usr/lib/python3/dist-packages/kubernetes";
	const missing = !existsSync(python) || !existsSync(library);
	if (missing)
		console.warn("python3-kubernetes is not installed: its client is not tried (apt-get install python3-kubernetes)");

	test.skipIf(missing && process.env.CI === undefined)(
		"does all that its users do",
		async () => {
			expect(missing, "python3-kubernetes is not installed").toBe(false);
			const script = join(import.meta.dirname, "python/checks.py");
			const { code, stdout, stderr } = await run(python, ["-W", "ignore", script, String(rounds)], {
				env: cluster.environment,
				timeoutMs: 600_000,
			});
			const names = [...readFileSync(script, "utf8").matchAll(/^def check_(\w+)/gm)].map(([, name = ""]) => name);
			expect({ code, done: stdout.trim().split("\n"), stderr }).toMatchObject({
				code: 0,
				done: names.map((name) => name.replaceAll("_", " ")),
			});
		},
		600_000,
	);
});

describe("the JavaScript client", () => {
	beforeAll(async () => {
		const core = checks.config.makeApiClient(k8s.CoreV1Api);
		await core.createNamespace({ body: { metadata: { name: namespace } } });
		await until("a service account", async () => {
			const accounts = await core.listNamespacedServiceAccount({ namespace });
			return accounts.items.length > 0;
		});
		const page = ["python3", "-m", "http.server", "8080"];
		const hello = "echo one; echo two; while read line; do echo got $line; done; sleep 1000";
		for (const body of [
			pod("lines", hello, { stdin: true }),
			pod("web", "", { command: page, workingDir: "/etc/ssl" }),
		])
			await core.createNamespacedPod({ namespace, body });
		await running(checks, "lines");
		await running(checks, "web");
	});

	test("patches of every type, apply among them", async () => {
		expect(await patchesOfEveryType(checks)).toEqual({
			created: "1",
			json: "2",
			merge: "3",
			strategic: "4",
			apply: "5",
		});
	});

	test("objects by the kind that their YAML names", async () => {
		expect(await objectsByTheirKind(checks)).toEqual(["by-kind", '{"a":"1","b":"2"}', "true", "404"]);
	});

	test("an informer sees additions, changes and deletions, and keeps a cache", async () => {
		expect(await informed(checks)).toEqual(["add", "update", "delete", "informed", "undefined"]);
	});

	test("a watch can be stopped", async () => {
		const seen: string[] = [];
		const watch = new k8s.Watch(checks.config);
		const path = `/api/v1/namespaces/${namespace}/pods`;
		const ended = new Promise((resolve) => {
			void watch
				.watch(path, { allowWatchBookmarks: true }, (type) => seen.push(type), resolve)
				.then((controller) => until("two pods", () => seen.length >= 2).then(() => controller.abort()));
		});
		await ended;
		expect(seen.slice(0, 2)).toEqual(["ADDED", "ADDED"]);
	});

	test("exec gives all output, standard input and the exit code", async () => {
		for (let round = 0; round < rounds; round++) {
			const { out, err, status } = await executed(checks, "lines", ["sh", "-c", "echo out; echo err >&2"]);
			expect({ out, err, status: status.status }).toEqual({ out: "out\n", err: "err\n", status: "Success" });
		}
		const failed = await executed(checks, "lines", ["sh", "-c", "exit 3"]);
		expect(failed.status).toMatchObject({ status: "Failure", reason: "NonZeroExitCode" });
		const { out } = await executed(checks, "web", ["head", "-c", "5"], "hello");
		expect(out).toBe("hello");
	});

	test("attach reads and writes", async () => {
		const out = collector();
		const input = collector();
		const socket = await new k8s.Attach(checks.config).attach(namespace, "lines", "main", out, null, input, false);
		input.write("this\n");
		await until("an echo", () => out.text().includes("got this"));
		socket.close();
	});

	test("logs are read whole, in part, and followed to their end", async () => {
		const log = new k8s.Log(checks.config);
		const read = async (name: string, options: k8s.LogOptions): Promise<string> => {
			const out = collector();
			await log.log(namespace, name, "main", out, options);
			await until("the log's end", () => out.readableEnded);
			return out.text();
		};
		expect(await read("lines", {})).toMatch(/^one\ntwo\n/);
		expect(await read("lines", { tailLines: 10, timestamps: true })).toMatch(/^\d{4}-\S+ one\n/);
		await checks.config.makeApiClient(k8s.CoreV1Api).createNamespacedPod({
			namespace,
			body: pod("brief", "echo one; sleep 1; echo two"),
		});
		await running(checks, "brief");
		expect(await read("brief", { follow: true, sinceSeconds: 3600 })).toBe("one\ntwo\n");
	});

	test("ports are forwarded", async () => {
		for (let round = 0; round < rounds; round++)
			expect(await forwarded(checks, "web", 8080)).toMatch(/^HTTP\/1\.0 200/);
	});

	test("files are copied both ways", async () => {
		mkdirSync(join(folder, "sent"));
		writeFileSync(join(folder, "sent/file.txt"), "some text");
		const cp = new k8s.Cp(checks.config);
		await cp.cpToPod(namespace, "lines", "main", join(folder, "sent"), "/tmp");
		const there = async () => (await executed(checks, "lines", ["cat", "/tmp/file.txt"])).out === "some text";
		await until("the file in the pod", there);
		await cp.cpFromPod(namespace, "lines", "main", "file.txt", folder, "/tmp");
		const here = join(folder, "file.txt");
		await until("the file here", () => existsSync(here) && readFileSync(here, "utf8") === "some text");
	});

	test("usage of nodes and pods, health and version", async () => {
		const { config } = checks;
		const core = config.makeApiClient(k8s.CoreV1Api);
		const [node] = await k8s.topNodes(core);
		expect(Number(node?.CPU.Capacity)).toBeGreaterThan(0);
		const metrics = new k8s.Metrics(config);
		const pods = await k8s.topPods(core, metrics, namespace);
		expect(pods.map(({ Pod }) => Pod.metadata?.name).sort()).toEqual(expect.arrayContaining(["lines", "web"]));
		expect(await new k8s.Health(config).readyz({})).toBe(true);
		expect((await config.makeApiClient(k8s.VersionApi).getCode()).major).toBe("1");
	});
});
