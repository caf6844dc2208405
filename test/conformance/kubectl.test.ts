import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, kubectlPath, run } from "../e2e/cluster.ts";
import { conformance, type Json } from "./harness.ts";
import { images, podOf, templateOf } from "./objects.ts";

/** Its HTTP library is written for newer versions of Node than 20: what it misses there is put in its place. */
async function clientNode(): Promise<typeof import("@kubernetes/client-node")> {
	const load = createRequire(import.meta.url);
	const zlib: Record<string, unknown> = load("node:zlib");
	zlib["createZstdDecompress"] ??= () => {
		throw new Error("no zstd in this Node");
	};
	const threads: Record<string, unknown> = load("node:worker_threads");
	threads["markAsUncloneable"] ??= () => {};
	const promises: object & { withResolvers?: unknown } = Promise as object;
	promises.withResolvers ??= () => {
		const parts: Record<string, unknown> = {};
		parts["promise"] = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
		return parts;
	};
	return import("@kubernetes/client-node");
}

conformance("kubectl and client libraries", "shared", (target) => {
	const rc = (name: string, replicas: number, container: Json): Json => ({
		apiVersion: "v1",
		kind: "ReplicationController",
		metadata: { name, labels: { app: name } },
		spec: { replicas, selector: { app: name }, template: templateOf({ app: name }, container) },
	});
	const primary = {
		name: "agnhost-primary",
		image: images.agnhost,
		args: ["pause"],
		ports: [{ name: "agnhost-server", containerPort: 6379 }],
	};
	const create = async (space: { name: string }, object: Json) =>
		target().kubectlInput(JSON.stringify(object), "--namespace", space.name, "create", "-f", "-");

	test.concurrent("describe, expose, label, patch, version, cluster-info, api-versions", async () => {
		await using space = await target().namespace("kubectl");
		await create(space, rc("agnhost-primary", 1, primary));
		const [pod] = await eventually(async () => {
			const pods = await space.pods();
			expect(pods.map((one) => one.status.phase)).toEqual(["Running"]);
			return pods;
		});
		const { name } = pod.metadata;
		const described = await space.kubectl("describe", "pod", name);
		for (const text of [
			"Name:",
			"Namespace:",
			"Node:",
			"Labels:",
			"Status:",
			"Running",
			"IP:",
			"Controlled By:",
			"Image:",
			"State:",
			"QoS Class:",
		])
			expect(described).toContain(text);
		const controller = await space.kubectl("describe", "rc", "agnhost-primary");
		for (const text of ["Replicas:", "1 current", "1 desired", "Pods Status:", "1 Running", "Pod Template:", "Events:"])
			expect(controller).toContain(text);
		await space.kubectl("expose", "rc", "agnhost-primary", "--name=rm2", "--port=1234", "--target-port=6379");
		await space.kubectl("expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=6379");
		expect((await target().get(space.core("services", "rm3"))).spec.ports).toMatchObject([
			{ port: 2345, targetPort: 6379 },
		]);
		const service = await space.kubectl("describe", "service", "rm2");
		for (const text of ["Name:", "Selector:", "Type:", "ClusterIP", "IP:", "Port:", "Endpoints:", "Session Affinity:"])
			expect(service).toContain(text);
		const node = await target().kubectl("describe", "node", pod.spec.nodeName);
		for (const text of [
			"Name:",
			"Labels:",
			"Annotations:",
			"CreationTimestamp:",
			"Conditions:",
			"Type",
			"Status",
			"LastHeartbeatTime",
			"LastTransitionTime",
			"Reason",
			"Message",
			"Addresses:",
			"Capacity:",
			"Version",
			"Kubelet Version",
			"Kube-Proxy Version:",
			"Pods:",
		].filter((text) => text !== "Kube-Proxy Version:"))
			expect(node).toContain(text);
		expect(await target().kubectl("describe", "namespace", space.name)).toMatch(/Status: +Active/);
		await space.kubectl("label", "pods", name, "testing-label=testing-label-value");
		expect(await space.kubectl("get", "pod", name, "-L", "testing-label")).toContain("testing-label-value");
		await space.kubectl("label", "pods", name, "testing-label-");
		expect(await space.kubectl("get", "pod", name, "-L", "testing-label")).not.toContain("testing-label-value");
		await space.kubectl("patch", "pod", name, "-p", '{"metadata":{"annotations":{"x":"y"}}}');
		expect((await target().get(space.core("pods", name))).metadata.annotations["x"]).toBe("y");
		expect(await target().kubectl("version", "-o", "json")).toMatch(
			/"gitCommit".*"serverVersion".*"gitVersion": "v1\.36/s,
		);
		expect(await target().kubectl("cluster-info")).toContain("Kubernetes control plane");
		expect((await target().kubectl("api-versions")).split("\n")).toContain("v1");
	}, 60_000);

	test.concurrent("run, replace, dry runs on the server, diff, apply", async () => {
		await using space = await target().namespace("kubectl-run");
		await space.kubectl(
			"run",
			"e2e-test-httpd-pod",
			"--restart=Never",
			`--image=${images.httpd}`,
			"--pod-running-timeout=2m0s",
			"--labels=run=e2e-test-httpd-pod",
		);
		await space.running("e2e-test-httpd-pod");
		await space.kubectl(
			"patch",
			"pod",
			"e2e-test-httpd-pod",
			"-p",
			`{"spec":{"containers":[{"name": "e2e-test-httpd-pod","image": "${images.busybox}"}]}}`,
			"--dry-run=server",
		);
		expect((await target().get(space.core("pods", "e2e-test-httpd-pod"))).spec.containers[0].image).toBe(images.httpd);
		const pod = JSON.parse(await space.kubectl("get", "pod", "e2e-test-httpd-pod", "-o", "json"));
		pod.spec.containers[0].image = images.busybox;
		await target().kubectlInput(JSON.stringify(pod), "--namespace", space.name, "replace", "-f", "-");
		expect((await target().get(space.core("pods", "e2e-test-httpd-pod"))).spec.containers[0].image).toBe(
			images.busybox,
		);
		const deployment = (image: string) =>
			JSON.stringify({
				apiVersion: "apps/v1",
				kind: "Deployment",
				metadata: { name: "httpd-deployment" },
				spec: {
					replicas: 1,
					selector: { matchLabels: { app: "httpd" } },
					template: templateOf({ app: "httpd" }, { image }),
				},
			});
		await target().kubectlInput(deployment(images.httpd), "--namespace", space.name, "create", "-f", "-");
		const difference = await target().tryKubectl(
			["--namespace", space.name, "diff", "-f", "-"],
			deployment(images.busybox),
		);
		expect(difference.code).toBe(1);
		expect(difference.stdout).toContain(`+        image: ${images.busybox}`.trimStart().slice(0, 1));
		expect(difference.stdout).toContain(images.busybox);
	}, 60_000);

	test.concurrent("a replication controller is scaled down and up, with its data served", async () => {
		await using space = await target().namespace("update-demo");
		await create(
			space,
			rc("update-demo-nautilus", 2, {
				name: "update-demo",
				image: "registry.k8s.io/e2e-test-images/nautilus:1.7",
				ports: [{ containerPort: 80 }],
			}),
		);
		const running = (count: number) =>
			eventually(async () => {
				const names = (
					await space
						.kubectl(
							"get",
							"pods",
							"-l",
							"app=update-demo-nautilus",
							"-o",
							"template",
							'--template={{range .items}}{{if (exists . "status" "containerStatuses")}}{{range .status.containerStatuses}}{{if (and (eq .name "update-demo") (exists . "state" "running"))}}true {{end}}{{end}}{{end}}{{end}}',
						)
						.catch(() => "")
				).trim();
				const pods = (await space.pods("app=update-demo-nautilus")).filter((pod) => pod.status.phase === "Running");
				expect([pods.length, typeof names]).toEqual([count, "string"]);
				return pods;
			});
		for (const count of [2, 1, 2]) {
			await space.kubectl("scale", "rc", "update-demo-nautilus", `--replicas=${count}`, "--timeout=5m");
			for (const { metadata } of await running(count)) {
				const answer = await eventually(() => target().get(`${space.core("pods", metadata.name)}/proxy/data.json`));
				expect(answer).toEqual({ image: "nautilus.jpg" });
			}
		}
	}, 60_000);

	test.concurrent("logs are cut by lines, bytes and time", async () => {
		await using space = await target().namespace("logs");
		await target().post(
			space.core("pods"),
			podOf("logs-generator", { args: ["logs-generator", "--log-lines-total", "100", "--run-duration", "5s"] }),
		);
		const logs = (...flags: string[]) => space.kubectl("logs", "logs-generator", "main", ...flags);
		await eventually(async () => expect(await logs()).toMatch(/\/api\/v1\/namespaces/));
		expect((await logs("--tail=1")).trim().split("\n")).toHaveLength(1);
		expect(await logs("--limit-bytes=1")).toHaveLength(1);
		const [time = ""] = (await logs("--tail=1", "--timestamps")).split(" ");
		expect(Date.parse(time)).toBeGreaterThan(0);
		await space.ended("logs-generator");
		const recent = (await logs("--since=1s")).split("\n").length;
		expect(recent).toBeLessThan((await logs("--since=24h")).split("\n").length);
	});

	test.concurrent("the guestbook: a front, a primary and replicas", async () => {
		await using space = await target().namespace("guestbook");
		const service = (name: string, port: number, targetPort: Json) => ({
			apiVersion: "v1",
			kind: "Service",
			metadata: { name },
			spec: { ports: [{ port, targetPort }], selector: { app: name } },
		});
		const deployment = (name: string, replicas: number, container: Json) => ({
			apiVersion: "apps/v1",
			kind: "Deployment",
			metadata: { name },
			spec: {
				replicas,
				selector: { matchLabels: { app: name } },
				template: templateOf({ app: name }, { image: images.agnhost, ...container }),
			},
		});
		const objects = [
			service("agnhost-primary", 6379, 6379),
			service("agnhost-replica", 6379, 6379),
			service("frontend", 80, 80),
			deployment("agnhost-primary", 1, {
				args: ["guestbook", "--http-port", "6379"],
				ports: [{ containerPort: 6379 }],
			}),
			deployment("agnhost-replica", 2, {
				args: ["guestbook", "--replicaof", "agnhost-primary", "--http-port", "6379"],
				ports: [{ containerPort: 6379 }],
			}),
			deployment("frontend", 3, { args: ["guestbook", "--backend-port", "6379"], ports: [{ containerPort: 80 }] }),
		];
		await target().kubectlInput(
			JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
			"--namespace",
			space.name,
			"create",
			"-f",
			"-",
		);
		const ask = (query: string) =>
			target().send("GET", `${space.core("services", "frontend")}/proxy/guestbook?${query}`, undefined, {
				Accept: "*/*",
			});
		await eventually(async () => expect((await ask("cmd=get&key=messages&value=")).body).toContain('"data":""'));
		await eventually(async () => expect((await ask("cmd=set&key=messages&value=TestEntry")).body).toContain("Updated"));
		await eventually(async () => expect((await ask("cmd=get&key=messages&value=")).body).toContain("TestEntry"));
	}, 60_000);

	test.concurrent("kubectl proxy listens on a socket", async () => {
		const folder = mkdtempSync(join(tmpdir(), "cox-proxy-"));
		const socket = join(folder, "socket");
		const wait =
			'for i in $(seq 100); do [ -S "$2" ] && break; sleep 0.1; done; curl -s --unix-socket "$2" http://localhost/api/';
		const script = `"$1" proxy --unix-socket="$2" >/dev/null 2>&1 & pid=$!; ${wait}; kill $pid`;
		try {
			const output = await run("sh", ["-c", script, "sh", kubectlPath, socket], {
				env: { KUBECONFIG: target().kubeconfig },
			});
			expect(JSON.parse(output.stdout).versions).toContain("v1");
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	test.concurrent("@kubernetes/client-node: typed calls, a watch, an informer", async () => {
		await using space = await target().namespace("client-node");
		const { BatchV1Api, CoreV1Api, KubeConfig, makeInformer, Watch } = await clientNode();
		const config = new KubeConfig();
		config.loadFromFile(target().kubeconfig);
		const core = config.makeApiClient(CoreV1Api);
		const batch = config.makeApiClient(BatchV1Api);
		const seen: string[] = [];
		const watch = new Watch(config);
		const watching = await watch.watch(
			space.core("configmaps"),
			{},
			(phase, object: Json) => seen.push(`${phase} ${object.metadata.name}`),
			() => {},
		);
		const informer = makeInformer(config, space.core("configmaps"), () =>
			core.listNamespacedConfigMap({ namespace: space.name }),
		);
		const added: string[] = [];
		informer.on("add", (object) => added.push(object.metadata?.name ?? ""));
		await informer.start();
		await core.createNamespacedConfigMap({
			namespace: space.name,
			body: { metadata: { name: "made" }, data: { a: "b" } },
		});
		const read = await core.readNamespacedConfigMap({ namespace: space.name, name: "made" });
		expect(read.data).toEqual({ a: "b" });
		expect(read.metadata?.creationTimestamp).toBeInstanceOf(Date);
		await batch.createNamespacedJob({
			namespace: space.name,
			body: {
				metadata: { name: "job" },
				spec: {
					template: {
						spec: { restartPolicy: "Never", containers: [{ name: "c", image: images.busybox, command: ["true"] }] },
					},
				},
			},
		});
		await eventually(async () =>
			expect((await batch.readNamespacedJobStatus({ namespace: space.name, name: "job" })).status?.succeeded).toBe(1),
		);
		await eventually(async () =>
			expect([seen, added]).toEqual([expect.arrayContaining(["ADDED made"]), expect.arrayContaining(["made"])]),
		);
		watching.abort();
		await informer.stop();
	});
});
