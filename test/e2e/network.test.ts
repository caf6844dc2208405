/**
 * The network as pods, nodes and kubectl see it, with real sockets: pods, services, DNS, the API from inside, streams.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, kubectlPath, type Output, run, TestCluster } from "./cluster.ts";
import { spreadSet, webServer } from "./spread.ts";

/** Two web servers on two nodes, each a replica with a name of its own; services of every kind before them. */
const web = spreadSet({
	name: "web",
	serviceName: "headless",
	container: webServer,
	spec: { podManagementPolicy: "Parallel" },
});
const manifest = `${web}
---
apiVersion: v1
kind: Service
metadata: { name: headless }
spec:
  clusterIP: None
  selector: { app: web }
  ports: [{ name: http, port: 8080 }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: http }]
---
apiVersion: v1
kind: Service
metadata: { name: only-0 }
spec:
  selector: { statefulset.kubernetes.io/pod-name: web-0 }
  ports: [{ port: 80, targetPort: http }]
---
apiVersion: v1
kind: Service
metadata: { name: alias }
spec:
  type: ExternalName
  externalName: web.default.svc.cluster.local
`;

describe("the network of a cluster", { timeout: 60_000 }, () => {
	let cluster: TestCluster;
	let tried: (...args: string[]) => Promise<Output>;

	const inPod = (pod: string, ...command: string[]) => cluster.kubectl("exec", pod, "--", ...command);
	const get = (kind: string, name: string, path: string) =>
		cluster.kubectl("get", kind, name, "-o", `jsonpath={${path}}`);
	const curl = (url: string) => ["curl", "--silent", "--fail", "--max-time", "5", url];
	/** Answers of a DNS server as `dig +short` prints them. */
	const dig = async (name: string, type = "A") =>
		(await inPod("web-0", "dig", "+short", type, name)).split("\n").filter(Boolean).sort();
	const status = async (name: string) => /status: (\w+)/.exec(await inPod("web-0", "dig", name))?.[1];
	/** A command in the namespaces of a node, as its own processes would run it. */
	async function onNode(node: string, ...command: string[]): Promise<string> {
		const found = /AGENT PID[\s\S]*/.exec(await cluster.coxOk("status"))?.[0] ?? "";
		const agent = new RegExp(`^${node} .* (\\d+)$`, "m").exec(found)?.[1];
		return (await run("nsenter", [`--target=${agent}`, "--net", ...command])).stdout;
	}

	beforeAll(async () => {
		cluster = await TestCluster.start("--nodes", "2");
		tried = cluster.kubectlWith(kubectlPath);
		await cluster.kubectlInput(manifest, "apply", "-f", "-");
		await cluster.kubectl("rollout", "status", "statefulset/web", "--timeout=30s");
	});
	afterAll(() => cluster?.[Symbol.asyncDispose]());

	test("pods read metrics of all objects from kube-state-metrics, until its account may not", async () => {
		const url = "http://kube-state-metrics.kube-system:8080/metrics";
		const text = await inPod("web-0", ...curl(url));
		expect(text).toMatch(/^kube_statefulset_replicas\{namespace="default",statefulset="web"\} 2$/m);
		expect(text).toMatch(/^kube_pod_info\{namespace="default",pod="web-1",.*node="node-\d".*\} 1$/m);
		const probes = await cluster.kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics/probes");
		expect(probes).toContain("prober_probe_total");
		const started = await cluster.kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics");
		expect(started).toMatch(/^kubelet_started_containers_total\{container_type="container"\} [1-9]/m);
		const binding = ["clusterrolebinding", "coxswain:kube-state-metrics"];
		await cluster.kubectl("annotate", ...binding, "rbac.authorization.kubernetes.io/autoupdate=false", "--overwrite");
		await cluster.kubectl("patch", ...binding, "--type=json", "--patch", '[{"op":"remove","path":"/subjects"}]');
		await eventually(async () => expect((await tried("exec", "web-0", "--", ...curl(url))).code).toBe(22));
	});

	test("pods reach pods on other nodes, with their own addresses", async () => {
		expect(await get("pod", "web-0", ".spec.nodeName")).not.toBe(await get("pod", "web-1", ".spec.nodeName"));
		const own = await get("pod", "web-0", ".status.podIP");
		const other = await get("pod", "web-1", ".status.podIP");
		expect(await inPod("web-0", ...curl(`http://${other}:8080/hostname`))).toBe("web-1");
		expect(await inPod("web-0", ...curl(`http://${other}:8080/clientip`))).toContain(`${own}:`);
	});

	test("a service's address leads to every ready endpoint, from pods and from nodes", async () => {
		const address = await get("service", "web", ".spec.clusterIP");
		const nodePort = await get("service", "web", ".spec.ports[0].nodePort");
		const nodes = ["node-1", "node-2"];
		const nodeAddress = await get("node", "node-2", ".status.addresses[0].address");
		const seen = async (ask: () => Promise<string>) => {
			const answers = new Set<string>();
			await eventually(async () => {
				answers.add(await ask());
				expect(answers).toEqual(new Set(["web-0", "web-1"]));
			});
		};
		await seen(() => inPod("web-0", ...curl(`http://${address}/hostname`)));
		await seen(() => onNode("node-1", ...curl(`http://${address}/hostname`)));
		for (const node of nodes) await seen(() => onNode(node, ...curl(`http://${nodeAddress}:${nodePort}/hostname`)));
	});

	test("a pod reaches itself through its service", async () => {
		expect(await inPod("web-0", ...curl("http://only-0/hostname"))).toBe("web-0");
	});

	test("endpoints that are not ready get nothing, and a service without any refuses", async () => {
		await cluster.kubectl("scale", "statefulset/web", "--replicas=1");
		await eventually(async () => expect(await dig("headless.default.svc.cluster.local")).toHaveLength(1));
		const answers = [1, 2, 3, 4].map(() => inPod("web-0", ...curl("http://web/hostname")));
		expect(new Set(await Promise.all(answers))).toEqual(new Set(["web-0"]));
		await cluster.kubectl("create", "service", "clusterip", "nobody", "--tcp=80");
		await eventually(async () => {
			const { stderr, code } = await tried("exec", "web-0", "--", "curl", "--max-time", "5", "http://nobody");
			expect(code).toBe(7);
			expect(stderr).toMatch(/refused|connect/i);
		});
		await cluster.kubectl("scale", "statefulset/web", "--replicas=2");
		await cluster.kubectl("rollout", "status", "statefulset/web", "--timeout=30s");
	});

	test("DNS names pods, services and ports, and says when there is no such name", async () => {
		const [first, second] = [await get("pod", "web-0", ".status.podIP"), await get("pod", "web-1", ".status.podIP")];
		const suffix = "default.svc.cluster.local";
		await eventually(async () => expect(await dig(`headless.${suffix}`)).toEqual([first, second].sort()));
		expect(await dig(`web-1.headless.${suffix}`)).toEqual([second]);
		expect(await dig(`web.${suffix}`)).toEqual([await get("service", "web", ".spec.clusterIP")]);
		expect(await dig(`_http._tcp.headless.${suffix}`, "SRV")).toEqual([
			expect.stringMatching(new RegExp(`^\\d+ \\d+ 8080 web-0\\.headless\\.${suffix}\\.$`)),
			expect.stringMatching(new RegExp(`^\\d+ \\d+ 8080 web-1\\.headless\\.${suffix}\\.$`)),
		]);
		expect(await dig(`alias.${suffix}`, "CNAME")).toEqual([`web.${suffix}.`]);
		expect(await inPod("web-0", "sh", "-c", "getent hosts web-1.headless | cut -d' ' -f1")).toBe(`${second}\n`);
		expect(await inPod("web-0", ...curl("http://alias/hostname"))).toMatch(/^web-/);
		expect(await status(`web.${suffix}`)).toBe("NOERROR");
		expect(await status(`nobody-knows-it.${suffix}`)).toBe("NXDOMAIN");
		expect(await status("web-7.headless.default.svc.cluster.local")).toBe("NXDOMAIN");
	});

	test("a pod reaches the API by its service's name, with the mounted token and authority", async () => {
		const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";
		const shell = (path: string, token: string) =>
			`curl --silent --max-time 5 --cacert ${mounted}/ca.crt -w '\\n%{http_code}' -H "Authorization: Bearer ${token}" https://kubernetes.default.svc${path}`;
		const list = () => inPod("web-0", "sh", "-c", shell("/api/v1/namespaces/default/pods", `$(cat ${mounted}/token)`));
		const refused = await list();
		expect(refused).toMatch(/\n403$/);
		expect(refused).toContain('User \\"system:serviceaccount:default:default\\" cannot list resource \\"pods\\"');
		const binding = ["create", "rolebinding", "web-views", "--clusterrole=view", "--serviceaccount=default:default"];
		await cluster.kubectl(...binding);
		const pods = await list();
		expect(pods).toMatch(/\n200$/);
		expect(pods).toContain('"web-0"');
		expect(await inPod("web-0", "sh", "-c", shell("/api", "wrong"))).toMatch(/\n401$/);
		const review = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}';
		const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews -H content-type:application/json";
		const who = await inPod("web-0", "sh", "-c", shell(`${path} -d '${review}'`, `$(cat ${mounted}/token)`));
		expect(who).toContain('"system:serviceaccount:default:default"');
	});

	test("kubectl port-forward leads to a pod, and to a service's pod", async () => {
		for (const [target, port] of [
			["pod/web-1", "8080"],
			["service/only-0", "80"],
		] as const) {
			const forward = cluster.kubectlRunning(["port-forward", target, `:${port}`]);
			try {
				const local = await eventually(async () => {
					const found = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(forward.output())?.[1];
					if (found === undefined) throw new Error(`port-forward ${target}: ${forward.output()}`);
					return found;
				});
				const ask = async () => (await fetch(`http://127.0.0.1:${local}/hostname`)).text();
				const answers = await Promise.all([ask(), ask(), ask()]);
				expect(new Set(answers)).toEqual(new Set([target === "pod/web-1" ? "web-1" : "web-0"]));
			} finally {
				await forward.stop();
			}
		}
	});

	test("kubectl exec has input, output, errors and an exit code, and with -it a terminal", async () => {
		expect(await cluster.kubectlInput("in\n", "exec", "-i", "web-0", "--", "cat")).toBe("in\n");
		const both = await tried("exec", "web-0", "--", "sh", "-c", "echo out; echo err >&2; exit 7");
		expect(both).toMatchObject({ code: 7, stdout: "out\n" });
		expect(both.stderr).toContain("err\n");
		// The size is told after the start.
		const shell = 'tty; until [ "$(stty size)" = "31 97" ]; do sleep 0.02; done; stty size; exit 7';
		const command = `kubectl exec -it web-0 -- sh -c '${shell}'`;
		const terminal = await run("script", ["-qefc", `stty rows 31 cols 97; ${command}`, "/dev/null"], {
			env: cluster.environment,
		});
		// The terminal may echo the end of its input, which script types into it.
		expect(terminal.stdout.replaceAll("^@", "")).toMatch(/\/dev\/pts\/\d+\r\n31 97\r\n/);
		expect(terminal.code).toBe(7);
	});

	test("kubectl cp takes files in and out unchanged", async () => {
		const bytes = randomBytes(300_000);
		const [there, back] = [join(cluster.data, "there"), join(cluster.data, "back")];
		writeFileSync(there, bytes);
		await cluster.kubectl("cp", there, "web-0:/tmp/copied");
		await cluster.kubectl("cp", "web-0:/tmp/copied", back);
		expect(readFileSync(back).equals(bytes)).toBe(true);
	});

	test("kubectl attach talks to the container's own process", async () => {
		const command = ["sh", "-c", 'while read line; do echo "got $line"; done; echo end'];
		const reader = { name: "reader", image: "busybox", command, stdin: true, stdinOnce: true };
		const spec = { restartPolicy: "Never", containers: [reader] };
		const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "reader" }, spec };
		await cluster.kubectlInput(JSON.stringify(pod), "apply", "-f", "-");
		await cluster.kubectl("wait", "--for=condition=ready", "pod/reader", "--timeout=20s");
		const attached = await cluster.kubectlInput("one\ntwo\n", "attach", "-i", "reader");
		expect(attached).toContain("got one\ngot two\n");
		await eventually(async () => expect(await cluster.kubectl("logs", "reader")).toBe("got one\ngot two\nend\n"));
	});

	test("kubectl logs follows a container to its end, and shows the one before", async () => {
		const counting = 'for i in 1 2 3; do echo "line $i"; sleep 0.1; done';
		await cluster.kubectl("run", "three", "--image=busybox", "--restart=Never", "--", "sh", "-c", counting);
		await eventually(async () => expect(await cluster.kubectl("logs", "-f", "three")).toBe("line 1\nline 2\nline 3\n"));
		const script = "n=$(cat /data/n || echo 1); echo run $n; echo $((n + 1)) >/data/n; [ $n = 2 ] && sleep 600; exit 3";
		const pod = {
			apiVersion: "v1",
			kind: "Pod",
			metadata: { name: "twice" },
			spec: {
				terminationGracePeriodSeconds: 0,
				containers: [
					{
						name: "twice",
						image: "busybox",
						command: ["sh", "-c", script],
						volumeMounts: [{ name: "data", mountPath: "/data" }],
					},
				],
				volumes: [{ name: "data", emptyDir: {} }],
			},
		};
		await cluster.kubectlInput(JSON.stringify(pod), "apply", "-f", "-");
		await eventually(async () => expect(await cluster.kubectl("logs", "twice")).toContain("run 2\n"));
		expect(await cluster.kubectl("logs", "--previous", "twice")).toContain("run 1\n");
		expect(await get("pod", "twice", ".status.containerStatuses[0].lastState.terminated.exitCode")).toBe("3");
	});

	test("nothing of all this was worth a warning in the server's log", () => {
		expect(readFileSync(join(cluster.data, "server.log"), "utf8")).toBe("");
	});
});
