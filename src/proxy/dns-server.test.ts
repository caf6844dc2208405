import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { decode, encode } from "dns-packet";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../core/time/clock.ts";
import { createForwarder } from "./dns-forward.ts";
import type { DnsView } from "./dns-records.ts";
import { type DnsServer, startDnsServer } from "./dns-server.ts";

const view: DnsView = {
	service: (namespace, name) => {
		if (namespace !== "default") return undefined;
		const metadata = { name, namespace, uid: name, resourceVersion: "1", creationTimestamp: "" };
		const base = { apiVersion: "v1", kind: "Service", metadata };
		if (name === "web") return { ...base, spec: { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20"] } };
		if (name === "big") return { ...base, spec: { clusterIP: "None" } };
		if (name === "alias") return { ...base, spec: { type: "ExternalName", externalName: "web.default.svc.example" } };
		return undefined;
	},
	slices: () => [
		{
			apiVersion: "discovery.k8s.io/v1",
			kind: "EndpointSlice",
			metadata: { name: "big-1", namespace: "default", uid: "big-1", resourceVersion: "1", creationTimestamp: "" },
			addressType: "IPv4",
			endpoints: Array.from({ length: 200 }, (_, index) => ({ addresses: [`10.244.0.${index}`] })),
		},
	],
	namespaceExists: () => true,
	servicesAt: () => [],
	slicesAt: () => [],
};
const servers: DnsServer[] = [];
afterEach(async () => {
	await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(domain: string, resolvers: { address: string; port?: number }[] = []): Promise<DnsServer> {
	const server = await startDnsServer({
		view,
		clock: systemClock(),
		domain,
		addresses: ["127.0.0.1"],
		port: 0,
		forwarder: createForwarder({ clock: systemClock(), resolvers: () => resolvers }),
	});
	servers.push(server);
	return server;
}

function resolverOf({ port }: DnsServer): Resolver {
	const resolver = new Resolver({ timeout: 2000, tries: 1 });
	resolver.setServers([`127.0.0.1:${port}`]);
	return resolver;
}

test("DNS server answers over UDP, and over TCP what is too long for a datagram", async () => {
	const resolver = resolverOf(await start("cluster.local"));
	expect(await resolver.resolve4("web.default.svc.cluster.local")).toEqual(["10.96.0.20"]);
	expect(await resolver.resolve4("big.default.svc.cluster.local")).toHaveLength(200);
	await expect(resolver.resolve4("none.default.svc.cluster.local")).rejects.toMatchObject({ code: "ENOTFOUND" });
	await expect(resolver.resolve6("web.default.svc.cluster.local")).rejects.toMatchObject({ code: "ENODATA" });
});

test("DNS server passes other names on, and follows an ExternalName there", async () => {
	// Another of these servers replaces the node's resolver: its cluster has the domain "example".
	const upstream = await start("example");
	const resolver = resolverOf(await start("cluster.local", [{ address: "127.0.0.1", port: upstream.port }]));
	expect(await resolver.resolve4("web.default.svc.example")).toEqual(["10.96.0.20"]);
	expect(await resolver.resolve4("alias.default.svc.cluster.local")).toEqual(["10.96.0.20"]);
	expect(await resolver.resolveCname("alias.default.svc.cluster.local")).toEqual(["web.default.svc.example"]);
});

test.each([
	["without a resolver", []],
	["with a resolver that there is no way to", [{ address: "255.255.255.255" }]],
])("DNS server fails quickly %s", async (_how, resolvers) => {
	const resolver = resolverOf(await start("cluster.local", resolvers));
	await expect(resolver.resolve4("example.org")).rejects.toMatchObject({ code: "ESERVFAIL" });
});

test("DNS server answers several questions on one TCP connection", async () => {
	const { port } = await start("cluster.local");
	const socket = connect(port, "127.0.0.1");
	const question = (id: number) => {
		const message = encode({ id, type: "query", questions: [{ type: "A", name: "web.default.svc.cluster.local" }] });
		const prefix = Buffer.alloc(2);
		prefix.writeUInt16BE(message.length);
		return Buffer.concat([prefix, message]);
	};
	socket.write(Buffer.concat([question(1), question(2)]));
	let received = Buffer.alloc(0);
	const ids: number[] = [];
	for await (const chunk of socket) {
		received = Buffer.concat([received, chunk as Buffer]);
		while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
			const end = 2 + received.readUInt16BE(0);
			ids.push(decode(received.subarray(2, end)).id ?? 0);
			received = received.subarray(end);
		}
		if (ids.length === 2) break;
	}
	expect(ids).toEqual([1, 2]);
});
