/**
 * Speed of the API: `npm run bench [-- --kubeconfig FILE]`. Without a kubeconfig it starts a cluster with one simulated
 * node (`cox up`, a separate process, LMDB store), and removes it afterwards. All requests use HTTPS.
 */
import { execFileSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { httpTransport } from "../src/client/transports/http.ts";
import { type Client, configMaps, createClient, namespaces } from "../src/index.ts";

const root = join(import.meta.dirname, "..");
const namespace = "bench";
/** About the size of a pod. */
const payload = { text: "x".repeat(1500) };

interface Kubeconfig {
	clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
	users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

function connect(kubeconfig: string): Client {
	const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
	const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
	if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} names no cluster or no user`);
	const pem = (base64: string) => Buffer.from(base64, "base64").toString();
	return createClient(
		httpTransport({
			server: cluster.server,
			ca: pem(cluster["certificate-authority-data"]),
			cert: pem(user["client-certificate-data"]),
			key: pem(user["client-key-data"]),
		}),
		{ userAgent: "bench" },
	);
}

/** Runs `work` `count` times, concurrently on all clients. @returns runs per second */
async function rate(
	clients: readonly Client[],
	count: number,
	work: (client: Client, index: number) => Promise<unknown>,
) {
	let next = 0;
	const startMs = performance.now();
	const worker = async (client: Client) => {
		while (next < count) await work(client, next++);
	};
	await Promise.all(clients.map(worker));
	return (count * 1000) / (performance.now() - startMs);
}

function report(what: string, value: number, unit: string): void {
	console.log(`${what.padEnd(56)} ${Math.round(value).toLocaleString("en").padStart(9)} ${unit}`);
}

async function bench(kubeconfig: string): Promise<void> {
	const clients = Array.from({ length: 32 }, () => connect(kubeconfig));
	const [first] = clients;
	if (first === undefined) return;
	await first.create(namespaces, { metadata: { name: namespace }, spec: {} });
	const create = (prefix: string) => (client: Client, index: number) =>
		client.create(configMaps, { metadata: { name: `${prefix}-${index}`, namespace }, data: payload });
	await rate(clients, 500, create("warm"));
	report("ConfigMap creates, 8 connections", await rate(clients.slice(0, 8), 3000, create("eight")), "a second");
	report("ConfigMap creates, 32 connections", await rate(clients, 5000, create("many")), "a second");
	const get = (client: Client, index: number) => client.get(configMaps, { namespace, name: `many-${index % 5000}` });
	await rate(clients, 1000, get);
	report("ConfigMap GETs, 8 connections", await rate(clients.slice(0, 8), 8000, get), "a second");
	report("ConfigMap GETs, 32 connections", await rate(clients, 10_000, get), "a second");
	const list = async () => (await first.list(configMaps, { namespace, limit: 5000 })).items.length;
	await list();
	const startMs = performance.now();
	const count = await list();
	report(`LIST of ${count} ConfigMaps, read by this client`, performance.now() - startMs, "ms");
	await fanOut(clients, 100, 2000);
	await first.delete(namespaces, { name: namespace });
	await Promise.all(clients.map((client) => client.close()));
}

/** Several watches that each receive the same number of events. */
async function fanOut(clients: readonly Client[], watchCount: number, eventCount: number): Promise<void> {
	const [writer] = clients;
	if (writer === undefined) return;
	const { resourceVersion } = await writer.list(configMaps, { namespace, limit: 1 });
	const ending = new AbortController();
	setMaxListeners(0, ending.signal);
	let received = 0;
	let done: () => void = () => {};
	const all = new Promise<void>((resolve) => (done = resolve));
	for (let index = 0; index < watchCount; index++) {
		clients[index % clients.length]?.watch(
			configMaps,
			{ namespace, resourceVersion, signal: ending.signal },
			{
				event: ({ type }) => {
					if (type === "ADDED" && ++received === watchCount * eventCount) done();
				},
				end: (error) => console.error("a watch ended", error),
			},
		);
	}
	const startMs = performance.now();
	await rate(clients, eventCount, (client, index) =>
		client.create(configMaps, { metadata: { name: `fan-${index}`, namespace }, data: payload }),
	);
	await all;
	report(
		`watch fan-out ${watchCount} × ${eventCount}, parsed by this process`,
		(watchCount * eventCount * 1000) / (performance.now() - startMs),
		"events a second",
	);
	ending.abort();
}

const option = process.argv.indexOf("--kubeconfig");
if (option > 0) {
	await bench(process.argv[option + 1] ?? "");
} else {
	const data = mkdtempSync(join(tmpdir(), "cox-bench-"));
	const cox = (...args: string[]) =>
		execFileSync(process.execPath, [join(root, "bin/cox.js"), ...args], {
			env: { ...process.env, COX_DATA: data },
			stdio: ["ignore", "ignore", "inherit"],
		});
	try {
		cox("up", "--runtime", "simulated", "--nodes", "1");
		await bench(join(data, "kubeconfig"));
	} finally {
		cox("down");
		rmSync(data, { recursive: true, force: true });
	}
}
