import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { usualKubeletConfiguration } from "../kubelet-configuration.ts";
import { createEndpoint } from "./endpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "node-logs-"));
const logs = join(folder, "logs");
const abort = new AbortController();
// Nothing of a context is needed for files.
const endpoint = createEndpoint({
	context: {} as never,
	pods: () => [],
	settings: { configuration: usualKubeletConfiguration, clusterDomain: "cluster.local", mostPods: 110 },
	logDirectory: logs,
	signal: abort.signal,
});
const server = createServer();
let origin = "";

beforeAll(async () => {
	mkdirSync(join(logs, "pods/a&b"), { recursive: true });
	mkdirSync(join(logs, "containers"));
	writeFileSync(join(logs, "pods/a&b/0.log"), "line 1\n");
	writeFileSync(join(folder, "secret"), "secret");
	symlinkSync(join(logs, "pods/a&b/0.log"), join(logs, "containers/a.log"));
	symlinkSync(join(folder, "secret"), join(logs, "containers/out.log"));
	server.removeAllListeners("connection");
	server.on("connection", endpoint);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
	abort.abort();
	await new Promise((resolve) => server.close(resolve));
	rmSync(folder, { recursive: true });
});

async function get(path: string): Promise<[number, string]> {
	const response = await fetch(`${origin}${path}`);
	return [response.status, await response.text()];
}

test("a node lists its logs and shows them", async () => {
	expect(await get("/logs/")).toEqual([
		200,
		'<pre>\n<a href="./containers/">containers/</a>\n<a href="./pods/">pods/</a>\n</pre>\n',
	]);
	expect(await get("/logs")).toEqual(await get("/logs/"));
	expect(await get("/logs/pods/")).toEqual([200, '<pre>\n<a href="./a%26b/">a&#38;b/</a>\n</pre>\n']);
	expect(await get("/logs/pods/a%26b/0.log")).toEqual([200, "line 1\n"]);
	expect(await get("/logs/containers/a.log")).toEqual([200, "line 1\n"]);
});

test("nothing else of the node is shown", async () => {
	for (const path of [
		"/logs/none",
		"/logs/containers/out.log",
		"/logs/%2e%2e/secret",
		"/logs/..%2fsecret",
		"/logs/%00",
	])
		expect(await get(path)).toEqual([404, "404 page not found"]);
});
