/**
 * Traffic between a cluster, its machine and other networks, in two connected network namespaces: one is a machine
 * without other networks, the other one "the world".
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, kubectlPath, type Output, run, succeeded, TestCluster } from "./cluster.ts";

const manifest = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: node
      command: [node, -e, 'require("http").createServer((q, r) => r.end(q.socket.remoteAddress)).listen(8080, "0.0.0.0")']
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;
const worldAddress = "203.0.113.7";
/** Resolves every name to the address of the world. */
const nameServer = `
const { decode, encode } = require(${JSON.stringify(createRequire(import.meta.url).resolve("dns-packet"))});
const udp = require("dgram").createSocket("udp4");
udp.on("message", (message, { port, address }) => {
	const { id, questions } = decode(message);
	const answers = questions[0].type === "A" ? [{ type: "A", name: questions[0].name, ttl: 1, data: "${worldAddress}" }] : [];
	udp.send(encode({ id, type: "response", questions, answers }), port, address);
});
udp.bind(53, "${worldAddress}")`;

describe.skipIf(process.getuid?.() !== 0)("outside of a cluster (as root)", { timeout: 60_000 }, () => {
	const namespaces: ChildProcess[] = [];
	const folder = mkdtempSync(join(tmpdir(), "cox-outside-"));
	const resolvConf = join(folder, "resolv.conf");
	let cluster: TestCluster;
	let machine: readonly string[];
	let world: readonly string[];

	const inside = ([program = "", ...args]: readonly string[], ...command: string[]): Promise<Output> =>
		run(program, [...args, ...command], { env: { KUBECONFIG: cluster?.kubeconfig, HOME: cluster?.data } });
	const onMachine = async (...command: string[]) => succeeded(command.join(" "), await inside(machine, ...command));
	const kubectl = (...args: string[]) => onMachine(kubectlPath, ...args);
	const curl = (from: readonly string[], at: string) => inside(from, "curl", "--silent", "--max-time", "3", at);
	const podAddress = () => kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}");

	/** @returns the command that runs its arguments in a new network namespace with its own resolv.conf */
	async function makeNetwork(): Promise<{ pid: string; enter: readonly string[] }> {
		const script = `mount --bind ${resolvConf} /etc/resolv.conf; ip link set lo up; echo up; exec sleep infinity`;
		const child = spawn("unshare", ["--net", "--mount", "sh", "-c", script]);
		namespaces.push(child);
		await new Promise((resolve) => child.stdout.once("data", resolve));
		return { pid: String(child.pid), enter: ["nsenter", `--target=${child.pid}`, "--net", "--mount", "--"] };
	}

	/** Runs a server in the world until the end of the tests. */
	async function serve(program: string): Promise<void> {
		const [command = "", ...args] = [...world, process.execPath, "-e", `${program}; console.log("up")`];
		const child = spawn(command, args);
		namespaces.push(child);
		await new Promise((resolve, reject) => {
			child.stdout.once("data", resolve);
			child.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
		});
	}

	beforeAll(async () => {
		writeFileSync(resolvConf, "nameserver 127.0.0.1\n");
		const [one, other] = [await makeNetwork(), await makeNetwork()];
		[machine, world] = [one.enter, other.enter];
		await onMachine("ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", other.pid);
		await onMachine("sh", "-ec", "ip addr add 198.51.100.1/24 dev cable0; ip link set cable0 up");
		const far = `ip addr add 198.51.100.2/24 dev cable1; ip addr add ${worldAddress}/32 dev lo; ip link set cable1 up`;
		succeeded(far, await inside(world, "sh", "-ec", far));
		await onMachine("ip", "route", "add", "default", "via", "198.51.100.2");
		await serve(`require("http").createServer((q, r) => r.end(q.socket.remoteAddress)).listen(80, "0.0.0.0")`);
		await serve(nameServer);
		cluster = await TestCluster.startBy(machine);
		await run(machine[0] ?? "", [...machine.slice(1), kubectlPath, "apply", "-f", "-"], {
			env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.data },
			input: manifest,
		});
		await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=30s");
	}, 60_000);
	afterAll(async () => {
		await cluster?.[Symbol.asyncDispose]();
		for (const child of namespaces) child.kill("SIGKILL");
		rmSync(folder, { recursive: true });
	});

	test("pods reach other networks under the machine's address; forwarding is enabled, and reported", async () => {
		const got = await kubectl("exec", "web", "--", "curl", "--silent", "--max-time", "5", worldAddress);
		expect(got).toBe("198.51.100.1");
		expect(await cluster.coxOk("status")).toMatch(
			/Warning +for the pods, this machine forwards packets that arrive at cable0/,
		);
	});

	test("other names are resolved by the machine's current resolvers", async () => {
		const byName = () => kubectl("exec", "web", "--", "curl", "--silent", "--max-time", "5", "http://www.example.org");
		await expect(byName()).rejects.toThrow("exit code 6");
		writeFileSync(resolvConf, `nameserver ${worldAddress}\n`);
		expect(await eventually(byName)).toBe("198.51.100.1");
	});

	test("the machine reaches pods and Services by their addresses, other networks do not", async () => {
		const address = await podAddress();
		expect((await curl(machine, `${address}:8080`)).stdout).toMatch(/^169\.254\./);
		const service = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
		expect((await curl(machine, service)).stdout).toBe("172.30.0.1");
		succeeded("route", await inside(world, "ip", "route", "add", "10.244.0.0/16", "via", "198.51.100.1"));
		expect((await curl(world, `${address}:8080`)).code).not.toBe(0);
	});

	test("a second cluster with the same addresses reports the conflict, and does not affect the first one", async () => {
		await using other = await TestCluster.startBy(machine);
		expect(await other.coxOk("status")).toMatch(/does not reach 10\.244\.0\.0\/16 of this cluster directly: .* by cox/);
		await other.coxOk("down");
		expect((await curl(machine, `${await podAddress()}:8080`)).code).toBe(0);
		expect(await onMachine("cat", "/proc/sys/net/ipv4/conf/cable0/forwarding")).toBe("1\n");
	});

	test("nothing is left behind, even after all processes were killed and restarted", async () => {
		const { supervisorPid, pid } = JSON.parse(await cluster.coxOk("status", "--json"));
		for (const process of [supervisorPid, pid]) globalThis.process.kill(process, "SIGKILL");
		await cluster.coxOk("up");
		await eventually(async () => expect((await curl(machine, `${await podAddress()}:8080`)).code).toBe(0));
		await cluster.coxOk("down");
		expect(await onMachine("nft", "list", "ruleset")).toBe("");
		expect(await onMachine("sh", "-c", "ip -o link; ip route")).not.toContain("cox");
		expect(await onMachine("cat", "/proc/sys/net/ipv4/conf/cable0/forwarding")).toBe("0\n");
	});
});
