/**
 * The contract of NodeNetwork as tests: the test file of each implementation calls `networkContract` with a function
 * that creates one.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeNetwork, ServicePort } from "./network.ts";

/** A node with its network, and functions that act inside it. */
export interface NodeFixture {
	address: string;
	podCidr: string;
	network: NodeNetwork;
	/** The network after a restart of the agent. */
	reopen(): Promise<NodeNetwork>;
	/**
	 * Creates a network namespace for a pod.
	 * @returns its path
	 */
	makePod(): Promise<string>;
	/**
	 * Starts an echo server in a pod's namespace (undefined: the node's). It responds with its name and the client's
	 * address.
	 */
	serve(namespacePath: string | undefined, protocol: "TCP" | "UDP", port: number, name: string): Promise<void>;
	/**
	 * The response of such a server to a client in that namespace; rejects if there is none. UDP clients always use the
	 * same port.
	 */
	ask(namespacePath: string | undefined, protocol: "TCP" | "UDP", address: string, port: number): Promise<string>;
}

export interface NetworkFixture {
	nodes: [NodeFixture, NodeFixture];
	/** @throws if something was left behind */
	dispose(): Promise<void>;
}

export function networkContract(name: string, options: { open(): Promise<NetworkFixture>; noTraffic?: string }): void {
	describe(`network contract: ${name}`, () => {
		const withTraffic = (behaviour: string, test: () => Promise<void>) => {
			if (options.noTraffic === undefined) it(behaviour, test);
			else it.skip(`${behaviour} (${options.noTraffic})`, test);
		};
		let fixture: NetworkFixture;
		let counter = 0;
		let a: NodeFixture;
		let b: NodeFixture;
		beforeAll(async () => {
			fixture = await options.open();
			[a, b] = fixture.nodes;
			await a.network.setRoutes([{ podCidr: b.podCidr, via: b.address }]);
			await b.network.setRoutes([{ podCidr: a.podCidr, via: a.address }]);
		});
		afterAll(() => fixture.dispose());

		const attach = async (
			node: NodeFixture,
			hostPorts: { hostAddress?: string; hostPort: number; containerPort: number; protocol: string }[] = [],
		) => {
			const uid = `pod-${++counter}`;
			const namespacePath = await node.makePod();
			const { addresses } = await node.network.attachPod({ uid, namespacePath, hostPorts });
			return { uid, namespacePath, address: addresses[0] ?? "" };
		};
		const service = (changes: Partial<ServicePort>): ServicePort => ({
			name: "default/web:http",
			protocol: "TCP",
			addresses: ["10.96.7.7"],
			port: 80,
			endpoints: [],
			...changes,
		});
		const setServices = async (...ports: ServicePort[]) => {
			for (const node of fixture.nodes) await node.network.setServices(ports);
		};

		it("gives each pod an address of its own, the same one when asked again", async () => {
			const first = await attach(a);
			const second = await attach(a);
			expect(first.address).not.toBe(second.address);
			const again = await a.network.attachPod({ uid: first.uid, namespacePath: first.namespacePath, hostPorts: [] });
			expect(again.addresses).toEqual([first.address]);
			await a.network.detachPod(first.uid);
			await a.network.detachPod(first.uid);
			const attached = await a.network.attached();
			expect(attached.get(second.uid)).toEqual({ addresses: [second.address] });
			expect(attached.has(first.uid)).toBe(false);
		});

		withTraffic("knows its pods after a restart of the agent", async () => {
			const pod = await attach(a);
			a.network = await a.reopen();
			await a.network.setRoutes([{ podCidr: b.podCidr, via: b.address }]);
			expect((await a.network.attached()).get(pod.uid)).toEqual({ addresses: [pod.address] });
			expect((await attach(a)).address).not.toBe(pod.address);
		});

		withTraffic("connects pods on one node and across nodes, and nodes with pods, without translation", async () => {
			const server = await attach(a);
			const neighbour = await attach(a);
			const far = await attach(b);
			await a.serve(server.namespacePath, "TCP", 8080, "server");
			expect(await a.ask(neighbour.namespacePath, "TCP", server.address, 8080)).toBe(`server ${neighbour.address}`);
			expect(await b.ask(far.namespacePath, "TCP", server.address, 8080)).toBe(`server ${far.address}`);
			expect(await a.ask(undefined, "TCP", server.address, 8080)).toBe(`server ${a.address}`);
			expect(await b.ask(undefined, "TCP", server.address, 8080)).toBe(`server ${b.address}`);
		});

		withTraffic(
			"leads a service address to its endpoints, from pods, from nodes, and from an endpoint to itself",
			async () => {
				const one = await attach(a);
				const two = await attach(b);
				await a.serve(one.namespacePath, "TCP", 8080, "one");
				await b.serve(two.namespacePath, "TCP", 8080, "two");
				const port = (address: string) => ({ address, port: 8080 });
				await setServices(service({ endpoints: [port(one.address), port(two.address)] }));
				const answers = new Set<string>();
				for (let attempt = 0; answers.size < 2 && attempt < 50; attempt++) {
					answers.add(await a.ask(one.namespacePath, "TCP", "10.96.7.7", 80));
				}
				// If a pod is its own endpoint, it sees the node as the client: otherwise its response would not return through
				// the service.
				expect([...answers].sort()).toEqual([`one ${a.address}`, `two ${one.address}`]);
				await setServices(service({ endpoints: [port(two.address)] }));
				expect(await a.ask(undefined, "TCP", "10.96.7.7", 80)).toBe(`two ${a.address}`);
				await setServices(service({ endpoints: [port(one.address)] }));
				expect(await b.ask(two.namespacePath, "TCP", "10.96.7.7", 80)).toBe(`one ${two.address}`);
			},
		);

		withTraffic("refuses a service without endpoints, and one that is gone", async () => {
			const client = await attach(a);
			await setServices(service({ addresses: ["10.96.7.7", "203.0.113.9"] }));
			await expect(a.ask(client.namespacePath, "TCP", "10.96.7.7", 80)).rejects.toThrow("ECONNREFUSED");
			await expect(a.ask(undefined, "TCP", "10.96.7.7", 80)).rejects.toThrow("ECONNREFUSED");
			await setServices();
			await expect(a.ask(client.namespacePath, "TCP", "10.96.7.7", 80)).rejects.toThrow("ECONNREFUSED");
		});

		withTraffic("takes a thousand services at once, and lets them go", async () => {
			const server = await attach(a);
			const client = await attach(a);
			await a.serve(server.namespacePath, "TCP", 8080, "server");
			const endpoints = Array.from({ length: 4 }, () => ({ address: server.address, port: 8080 }));
			const many = Array.from({ length: 1000 }, (_, index) => {
				const addresses = [`10.97.${index >> 8}.${index & 255}`];
				return service({ name: `default/s-${index}:http`, addresses, endpoints });
			});
			await a.network.setServices(many);
			expect(await a.ask(client.namespacePath, "TCP", "10.97.0.0", 80)).toBe(`server ${client.address}`);
			expect(await a.ask(client.namespacePath, "TCP", "10.97.3.231", 80)).toBe(`server ${client.address}`);
			await a.network.setServices(many.slice(0, 1));
			await expect(a.ask(client.namespacePath, "TCP", "10.97.3.231", 80)).rejects.toThrow("ECONNREFUSED");
			expect(await a.ask(client.namespacePath, "TCP", "10.97.0.0", 80)).toBe(`server ${client.address}`);
		});

		withTraffic("leads a UDP client away from an endpoint that is gone, also from the same port", async () => {
			const one = await attach(a);
			const two = await attach(b);
			const client = await attach(a);
			await a.serve(one.namespacePath, "UDP", 5353, "one");
			await b.serve(two.namespacePath, "UDP", 5353, "two");
			const set = (...pods: { address: string }[]) => {
				const endpoints = pods.map(({ address }) => ({ address, port: 5353 }));
				return setServices(service({ name: "default/dns:dns", protocol: "UDP", port: 53, nodePort: 30053, endpoints }));
			};
			const ask = () => a.ask(client.namespacePath, "UDP", "10.96.7.7", 53);
			await set(one);
			expect(await ask()).toBe(`one ${client.address}`);
			expect(await b.ask(undefined, "UDP", a.address, 30053)).toMatch(/^one /);
			await set(two, one);
			expect(await ask()).toBe(`one ${client.address}`);
			await set(two);
			expect(await ask()).toBe(`two ${client.address}`);
			expect(await b.ask(undefined, "UDP", a.address, 30053)).toMatch(/^two /);
			await set();
			await expect(ask()).rejects.toThrow();
			a.network = await a.reopen();
			await set(one);
			expect(await ask()).toBe(`one ${client.address}`);
		});

		withTraffic("serves UDP", async () => {
			const server = await attach(b);
			const client = await attach(a);
			await b.serve(server.namespacePath, "UDP", 5353, "dns");
			const endpoints = [{ address: server.address, port: 5353 }];
			await setServices(service({ name: "default/dns:dns", protocol: "UDP", port: 53, endpoints }));
			expect(await a.ask(client.namespacePath, "UDP", "10.96.7.7", 53)).toBe(`dns ${client.address}`);
		});

		withTraffic(
			"serves a node port on every node, also from other nodes' pods, and only local endpoints when told so",
			async () => {
				const server = await attach(a);
				const client = await attach(b);
				await a.serve(server.namespacePath, "TCP", 8080, "server");
				const endpoints = [{ address: server.address, port: 8080 }];
				await setServices(service({ nodePort: 30080, endpoints }));
				expect(await b.ask(client.namespacePath, "TCP", a.address, 30080)).toMatch(/^server /);
				expect(await b.ask(client.namespacePath, "TCP", b.address, 30080)).toMatch(/^server /);
				await a.network.setServices([service({ nodePort: 30080, endpoints, localEndpoints: endpoints })]);
				expect(await b.ask(client.namespacePath, "TCP", a.address, 30080)).toBe(`server ${client.address}`);
				await b.network.setServices([service({ nodePort: 30080, endpoints, localEndpoints: [] })]);
				await expect(a.ask(server.namespacePath, "TCP", b.address, 30080)).rejects.toThrow("ECONNREFUSED");
				// A node's own pods and programs are not outside.
				expect(await b.ask(client.namespacePath, "TCP", b.address, 30080)).toBe(`server ${client.address}`);
				expect(await b.ask(undefined, "TCP", b.address, 30080)).toBe(`server ${b.address}`);
			},
		);

		withTraffic("keeps a client with its endpoint under session affinity", async () => {
			const servers = [await attach(a), await attach(a), await attach(b)];
			const client = await attach(b);
			for (const [index, server] of servers.entries()) {
				await (index < 2 ? a : b).serve(server.namespacePath, "TCP", 8080, `server-${index}`);
			}
			const endpoints = servers.map(({ address }) => ({ address, port: 8080 }));
			await setServices(service({ endpoints, affinitySeconds: 60 }));
			const answers = new Set<string>();
			for (let attempt = 0; attempt < 12; attempt++)
				answers.add(await b.ask(client.namespacePath, "TCP", "10.96.7.7", 80));
			expect(answers.size).toBe(1);
			await setServices(service({ endpoints: endpoints.slice(0, 1), affinitySeconds: 60 }));
			expect(await b.ask(client.namespacePath, "TCP", "10.96.7.7", 80)).toBe(`server-0 ${client.address}`);
		});

		withTraffic("forwards a host port of the node to its pod while the pod is attached", async () => {
			const server = await attach(a, [{ hostPort: 8088, containerPort: 8080, protocol: "TCP" }]);
			const client = await attach(b);
			await a.serve(server.namespacePath, "TCP", 8080, "server");
			expect(await b.ask(client.namespacePath, "TCP", a.address, 8088)).toBe(`server ${client.address}`);
			expect(await a.ask(undefined, "TCP", a.address, 8088)).toMatch(/^server /);
			await a.network.detachPod(server.uid);
			await expect(b.ask(client.namespacePath, "TCP", a.address, 8088)).rejects.toThrow("ECONNREFUSED");
		});

		withTraffic("leads a UDP client of a host port to the pod that has it now, also from the same port", async () => {
			const port = { hostPort: 8090, containerPort: 5353, protocol: "UDP" };
			await setServices();
			const one = await attach(a, [port]);
			const client = await attach(b);
			await a.serve(one.namespacePath, "UDP", 5353, "one");
			const ask = () => b.ask(client.namespacePath, "UDP", a.address, 8090);
			expect(await ask()).toBe(`one ${client.address}`);
			await a.network.detachPod(one.uid);
			const two = await attach(a, [port]);
			await a.serve(two.namespacePath, "UDP", 5353, "two");
			expect(await ask()).toBe(`two ${client.address}`);
		});

		withTraffic("tells ports of the node apart by the address they are bound to", async () => {
			const port = { hostPort: 8089, containerPort: 8080, protocol: "TCP" };
			const inside = await attach(a, [{ ...port, hostAddress: "127.0.0.1" }]);
			const outside = await attach(a, [{ ...port, hostAddress: a.address }]);
			const client = await attach(b);
			await a.serve(inside.namespacePath, "TCP", 8080, "inside");
			await a.serve(outside.namespacePath, "TCP", 8080, "outside");
			expect(await a.ask(undefined, "TCP", "127.0.0.1", 8089)).toMatch(/^inside /);
			expect(await a.ask(undefined, "TCP", a.address, 8089)).toMatch(/^outside /);
			expect(await b.ask(client.namespacePath, "TCP", a.address, 8089)).toMatch(/^outside /);
			await a.network.detachPod(outside.uid);
			await expect(b.ask(client.namespacePath, "TCP", a.address, 8089)).rejects.toThrow("ECONNREFUSED");
			expect(await a.ask(undefined, "TCP", "127.0.0.1", 8089)).toMatch(/^inside /);
		});
	});
}
