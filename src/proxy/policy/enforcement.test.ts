/** Policies with real connections: three pods on two nodes, and the rules of the plan in their nodes' kernels. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../kinds/generated/types.ts";
import { run } from "../../linux/command.ts";
import { createLinuxNetwork } from "../../network/linux/network.ts";
import { createPolicyFilter, type PolicyFilter } from "../../network/linux/policy-table.ts";
import { createMachine, type Machine, type NodeHolder } from "../../network/machine.ts";
import type { NodeNetwork } from "../../network/network.ts";
import { type AddressedPod, policyRules } from "./plan.ts";
import { forgingProgram, podProgram, receivingProgram } from "./testing/pod-program.ts";

const clock = systemClock();

interface TestPod extends AddressedPod {
	namespacePath: string;
	node: number;
	can(protocol: "TCP" | "UDP" | "KEPT", to: string, port: number): Promise<boolean>;
}

interface TestNode {
	holder: NodeHolder;
	network: NodeNetwork;
	filter: PolicyFilter;
	address: string;
}

const manyBlocks = Array.from({ length: 300 }, (_, index) => `10.1.${index % 256}.${index >> 8}/32`);
const serviceAddress = "10.96.7.7";
const namespaces = new Map([
	["shop", { team: "a" }],
	["ops", { team: "b" }],
]);

describe.runIf(process.getuid?.() === 0 || process.env["COX_TEST_ROOTLESS"])(
	"network policies between pods (as root, or as root of a user namespace)",
	() => {
		const directory = mkdtempSync(`${tmpdir()}/cox-policy-`);
		const children: ChildProcess[] = [];
		let machine: Machine;
		let nodes: [TestNode, TestNode];
		let web: TestPod;
		let near: TestPod;
		let far: TestPod;

		beforeAll(async () => {
			machine = await createMachine({ directory, clock });
			nodes = [await makeNode(1), await makeNode(2)];
			const [one, two] = nodes;
			await one.network.setRoutes([{ podCidr: "10.244.2.0/24", via: two.address }]);
			await two.network.setRoutes([{ podCidr: "10.244.1.0/24", via: one.address }]);
			[web, near, far] = await Promise.all([
				makePod(0, "shop", "web"),
				makePod(0, "shop", "near"),
				makePod(1, "ops", "far"),
			]);
			const endpoints = [{ address: web.address, port: 80 }];
			const service = {
				name: "shop/web",
				protocol: "TCP",
				addresses: [serviceAddress],
				port: 1000,
				endpoints,
			} as const;
			for (const { network } of nodes) await network.setServices([service]);
		});
		afterAll(async () => {
			await machine.destroy();
			for (const child of children) child.kill();
			await rm(directory, { recursive: true });
		});

		async function makeNode(index: number): Promise<TestNode> {
			const address = `172.30.0.${index}`;
			const podCidr = `10.244.${index}.0/24`;
			const rootDirectory = `${directory}/nodes/${index}`;
			const holder = await machine.addNode({ name: `node-${index}`, index, podCidr, address, rootDirectory });
			const enter = holder.enterArguments();
			const files = `${rootDirectory}/network`;
			const network = await createLinuxNetwork({
				directory: files,
				nodeAddress: address,
				podCidr,
				serviceCidr: "10.96.0.0/12",
				enter,
			});
			return { holder, network, filter: createPolicyFilter({ nodeAddress: address, enter }), address };
		}

		/** Each is started before it has a network, as pods are. */
		async function makePod(node: number, namespace: string, app: string): Promise<TestPod> {
			const { holder, network } = nodes[node] ?? nodes[0];
			const [program, ...args] = holder.enterArguments();
			const inside = ["unshare", "--net", "sh", "-c", 'echo $$; exec "$@"', "-"];
			const command = [...args, ...inside, process.execPath, "-e", podProgram, app, "80", "81"];
			const child = spawn(program, command, { stdio: ["pipe", "pipe", "inherit"] });
			children.push(child);
			const lines = createInterface({ input: child.stdout });
			const [[pid]] = [await once(lines, "line"), await once(lines, "line")];
			const namespacePath = `/proc/${pid}/ns/net`;
			const answers = new EventEmitter();
			lines.on("line", (line: string) => answers.emit(...(line.split(" ") as [string, string])));
			let asked = 0;
			const { addresses } = await network.attachPod({ uid: app, namespacePath, hostPorts: [] });
			return {
				namespace,
				labels: { app },
				address: addresses[0] ?? "",
				ports: [{ name: "http", protocol: "TCP", port: 80 }],
				namespacePath,
				node,
				async can(protocol, to, port) {
					const id = String(++asked);
					child.stdin.write(`${id} ${protocol} ${to} ${port}\n`);
					return (await once(answers, id))[0] === "yes";
				},
			};
		}

		let count = 0;
		const policy = (spec: NetworkPolicySpec, namespace = "shop"): NetworkPolicy => ({
			apiVersion: "networking.k8s.io/v1",
			kind: "NetworkPolicy",
			metadata: { name: `p${++count}`, namespace, uid: "", resourceVersion: "1", creationTimestamp: "" },
			spec: { podSelector: {}, ...spec },
		});
		const enforce = async (...policies: NetworkPolicy[]) => {
			const pods = [web, near, far];
			for (const [index, { filter }] of nodes.entries()) {
				const local = pods.filter(({ node }) => node === index);
				await filter.set(policyRules({ policies, namespaces, pods, local }));
			}
		};
		/** Who reaches the web pod: `near80 near81 nearUDP far80 far81 farUDP`. */
		const reached = async () => {
			const ask = async (name: string, pod: TestPod) => {
				const [tcp, other, udp] = await Promise.all([
					pod.can("TCP", web.address, 80),
					pod.can("TCP", web.address, 81),
					pod.can("UDP", web.address, 80),
				]);
				return [...(tcp ? [`${name}80`] : []), ...(other ? [`${name}81`] : []), ...(udp ? [`${name}UDP`] : [])];
			};
			return (await Promise.all([ask("near", near), ask("far", far)])).flat().join(" ");
		};
		const everything = "near80 near81 nearUDP far80 far81 farUDP";
		const forWeb = { podSelector: { matchLabels: { app: "web" } } };
		const from = (peer: object) => ({ ...forWeb, ingress: [{ from: [peer] }] });
		const to = (rule: object) => ({ policyTypes: ["Egress"], egress: [rule] });

		const cases: [string, () => NetworkPolicySpec[], string][] = [
			["without a policy", () => [], everything],
			["nobody, denied by default", () => [forWeb], ""],
			["everybody, by an empty rule", () => [{ ...forWeb, ingress: [{}] }], everything],
			["pods with a label", () => [from({ podSelector: { matchLabels: { app: "near" } } })], "near80 near81 nearUDP"],
			[
				"pods of a namespace",
				() => [from({ namespaceSelector: { matchLabels: { team: "b" } } })],
				"far80 far81 farUDP",
			],
			["a port by number", () => [{ ...forWeb, ingress: [{ ports: [{ port: 81 }] }] }], "near81 far81"],
			["a port by name", () => [{ ...forWeb, ingress: [{ ports: [{ port: "http" }] }] }], "near80 far80"],
			[
				"a range of a protocol",
				() => [{ ...forWeb, ingress: [{ ports: [{ protocol: "UDP", port: 1, endPort: 80 }] }] }],
				"nearUDP farUDP",
			],
			[
				"a block without its exceptions",
				() => [from({ ipBlock: { cidr: "0.0.0.0/0", except: [`${far.address}/32`] } })],
				"near80 near81 nearUDP",
			],
			[
				"a block without very many exceptions, some of them in others",
				() => [from({ ipBlock: { cidr: "0.0.0.0/0", except: [...manyBlocks, `${far.address}/32`, "10.244.2.0/24"] } })],
				"near80 near81 nearUDP",
			],
			[
				"what any of several policies lets through",
				() => [
					from({ podSelector: { matchLabels: { app: "near" } } }),
					{ ...forWeb, ingress: [{ ports: [{ port: 80 }] }] },
				],
				"near80 near81 nearUDP far80",
			],
			[
				"nobody whose own policy forbids it",
				() => [{ podSelector: { matchLabels: { app: "near" } }, policyTypes: ["Egress"] }],
				"far80 far81 farUDP",
			],
			[
				"by what the sender's policy lets out",
				() => [to({ to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: "http" }] })],
				"near80 far80 far81 farUDP",
			],
			[
				"only what both sides allow",
				() => [
					to({ ports: [{ port: 80 }, { port: 80, protocol: "UDP" }] }),
					{ ...forWeb, ingress: [{ ports: [{ port: 80 }, { port: 81 }] }] },
				],
				"near80 far80 far81",
			],
		];
		it.each(cases)("let through %s", async (_, specs, expected) => {
			await enforce(...specs().map((spec) => policy(spec)));
			expect(await reached()).toBe(expected);
		});

		it("see the pods behind a service, and let a pod reach itself through it", async () => {
			await enforce(policy(forWeb));
			expect(await near.can("TCP", serviceAddress, 1000)).toBe(false);
			expect(await web.can("TCP", serviceAddress, 1000)).toBe(true);
			await enforce(policy(from({ podSelector: { matchLabels: { app: "near" } } })), policy(to({ to: [forWeb] })));
			expect(await near.can("TCP", serviceAddress, 1000)).toBe(true);
			expect(await far.can("TCP", serviceAddress, 1000)).toBe(false);
		});

		it("let the node reach its pods, and keep established connections", async () => {
			await enforce();
			expect(await far.can("KEPT", web.address, 80)).toBe(true);
			await enforce(policy(forWeb));
			expect(await far.can("TCP", web.address, 80)).toBe(false);
			expect(await far.can("KEPT", web.address, 80)).toBe(true);
			const probe = `require("net").connect(80, "${web.address}").on("connect", () => process.exit(0))`;
			const [program, ...args] = nodes[0].holder.enterArguments();
			await run([program, ...args, process.execPath, "-e", probe]);
		});

		it("cannot be passed by with the address of another pod", async () => {
			await enforce();
			const inPod = ({ namespacePath }: TestPod, ...command: string[]): [string, ...string[]] => {
				const [program, ...args] = nodes[0].holder.enterArguments();
				return [program, ...args, "nsenter", `--net=${namespacePath}`, ...command];
			};
			await run(inPod(near, "ip", "addr", "add", `${far.address}/32`, "dev", "eth0"));
			const forging = [process.execPath, "-e", forgingProgram, far.address, near.address, web.address];
			const [program, ...args] = inPod(near, ...forging);
			children.push(spawn(program, args));
			expect(await run(inPod(web, process.execPath, "-e", receivingProgram))).toBe(`${near.address}\n`);
			await run(inPod(near, "ip", "addr", "del", `${far.address}/32`, "dev", "eth0"));
		});

		it("stay in force when the agent restarts, and leave nothing behind", async () => {
			await enforce(policy(forWeb));
			const [one] = nodes;
			const enter = one.holder.enterArguments();
			one.network = await createLinuxNetwork({
				directory: `${directory}/nodes/1/network`,
				nodeAddress: one.address,
				podCidr: "10.244.1.0/24",
				serviceCidr: "10.96.0.0/12",
				enter,
			});
			one.filter = createPolicyFilter({ nodeAddress: one.address, enter });
			expect(await near.can("TCP", web.address, 80)).toBe(false);
			await enforce();
			expect(await reached()).toBe(everything);
			expect(await run([...enter, "nft", "list", "tables"])).not.toContain("coxswain-policy");
		});
	},
);
