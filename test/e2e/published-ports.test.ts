/** Node ports, host ports and load balancers on the machine's own addresses, with real clients. */
import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, run, TestCluster } from "./cluster.ts";

const program = `
require("http").createServer((request, response) => response.end("web")).listen(8080);
const udp = require("dgram").createSocket("udp4");
udp.on("message", (message, { port, address }) => udp.send("udp " + message, port, address));
udp.bind(5353);
setInterval(() => {}, 1e9);`;
const manifest = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: node
      command: [node, -e, ${JSON.stringify(program)}]
      ports: [{ containerPort: 8080, hostPort: 18089 }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
    - { name: udp, port: 53, targetPort: 5353, protocol: UDP }
---
apiVersion: v1
kind: Service
metadata: { name: balanced }
spec:
  type: LoadBalancer
  allocateLoadBalancerNodePorts: false
  selector: { app: web }
  ports: [{ port: 8090, targetPort: 8080 }]
`;

describe("ports of the machine", { timeout: 60_000 }, () => {
	let cluster: TestCluster;
	let nodePort: string;
	let udpPort: string;
	let balancer: string;

	const get = (what: string, path: string) => cluster.kubectl("get", "service", what, "-o", `jsonpath={${path}}`);
	const curl = async (at: string) => (await run("curl", ["--silent", "--max-time", "5", at])).stdout;
	const answers = (at: string) => eventually(async () => expect(await curl(at)).toBe("web"));
	const isClosed = (at: string) =>
		eventually(async () => expect((await run("curl", ["--silent", "--max-time", "5", at])).code).toBe(7));
	const addressOf = (name: string) =>
		eventually(async () => {
			const ip = await get(name, ".status.loadBalancer.ingress[0].ip");
			expect(ip).toMatch(/^127\./);
			return ip;
		});

	beforeAll(async () => {
		cluster = await TestCluster.start();
		await cluster.kubectlInput(manifest, "apply", "-f", "-");
		nodePort = await get("web", ".spec.ports[0].nodePort");
		udpPort = await get("web", ".spec.ports[1].nodePort");
		await cluster.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s");
		balancer = await addressOf("balanced");
	}, 60_000);
	afterAll(() => cluster?.[Symbol.asyncDispose]());

	test("node ports, TCP and UDP, and host ports answer on the loopback address", async () => {
		await answers(`127.0.0.1:${nodePort}`);
		await answers("127.0.0.1:18089");
		const socket = createSocket("udp4");
		const answer = new Promise<string>((resolve) => socket.once("message", (text) => resolve(text.toString())));
		const asking = setInterval(() => socket.send("hello", Number(udpPort), "127.0.0.1"), 200);
		expect(await answer).toBe("udp hello");
		clearInterval(asking);
		socket.close();
	});

	test("a load balancer has an address, Events and a finalizer, and is closed when the Service is deleted", async () => {
		await answers(`${balancer}:8090`);
		expect(await cluster.kubectl("describe", "service", "balanced")).toMatch(
			/EnsuringLoadBalancer[\s\S]*EnsuredLoadBalancer/,
		);
		expect(await get("balanced", ".metadata.finalizers")).toContain("service.kubernetes.io/load-balancer-cleanup");
		const ranges = (list: string[]) =>
			cluster.kubectl(
				"patch",
				"service",
				"balanced",
				"-p",
				JSON.stringify({ spec: { loadBalancerSourceRanges: list } }),
			);
		await ranges(["10.0.0.0/8"]);
		await eventually(async () => expect(await curl(`${balancer}:8090`)).toBe(""));
		await ranges(["10.0.0.0/8", "127.0.0.0/8"]);
		await answers(`${balancer}:8090`);
		await cluster.kubectl("delete", "service", "balanced");
		await isClosed(`${balancer}:8090`);
	});

	test("a tunnel reaches Services and pods by name and address", async () => {
		const through = (url: string) =>
			cluster.cox("tunnel", "--", "curl", "--silent", "--show-error", "--max-time", "10", url);
		expect(await through("http://web.default")).toMatchObject({ code: 0, stdout: "web" });
		const address = await cluster.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}");
		expect(await through(`http://${address}:8080`)).toMatchObject({ code: 0, stdout: "web" });
		expect((await through("http://nothing.default")).code).not.toBe(0);
		expect((await through(`http://${address}:81`)).code).not.toBe(0);
	});

	test("a port that another program uses is reported, and opened when it is free", async () => {
		const other: Server = createServer();
		await new Promise<void>((resolve) => other.listen(0, "0.0.0.0", resolve));
		const { port } = other.address() as { port: number };
		const yaml = manifest.split("---").at(-1)?.replace("balanced", "late").replace("8090", String(port)) ?? "";
		await cluster.kubectlInput(yaml, "apply", "-f", "-");
		await eventually(async () => {
			expect(await cluster.coxOk("status")).toMatch(
				new RegExp(`Warning +load balancer of Service default/late: port ${port} of 127[.0-9]+ is in use by another`),
			);
			expect(await cluster.kubectl("describe", "service", "late")).toContain("SyncLoadBalancerFailed");
		});
		expect(await get("late", ".status.loadBalancer.ingress")).toBe("");
		await new Promise((resolve) => other.close(resolve));
		await answers(`${await addressOf("late")}:${port}`);
	});

	test("ports come back after a crash of the server, and are closed by cox down", async () => {
		const pid = /server process (\d+)/.exec(await cluster.coxOk("status"))?.[1];
		process.kill(Number(pid), "SIGKILL");
		await eventually(async () => expect(await cluster.coxOk("status")).toContain("Restarts    1"));
		await answers(`127.0.0.1:${nodePort}`);
		await cluster.coxOk("down");
		await isClosed(`127.0.0.1:${nodePort}`);
		await cluster.coxOk("up");
		await answers(`127.0.0.1:${nodePort}`);
	});
});
