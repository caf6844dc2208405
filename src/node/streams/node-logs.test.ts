import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { usualKubeletConfiguration } from "../context/kubelet-configuration.ts";
import { createEndpoint } from "./endpoint.ts";
import { sendNodeLog } from "./node-logs.ts";

const folder = mkdtempSync(join(tmpdir(), "node-logs-"));
const logs = join(folder, "logs");
const abort = new AbortController();
// Serving files uses nothing of the context.
const endpoint = createEndpoint({
	context: {} as never,
	pods: () => [],
	settings: { configuration: usualKubeletConfiguration, clusterDomain: "cluster.local", mostPods: 110 },
	logs: { logs, view: "" },
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

test("links lead as the node sees them", async () => {
	const view = join(folder, "view");
	mkdirSync(join(view, "var/log/pods/p/c"), { recursive: true });
	mkdirSync(join(view, "var/log/containers"));
	mkdirSync(join(view, "etc"));
	writeFileSync(join(view, "var/log/pods/p/c/0.log"), "of the view\n");
	writeFileSync(join(view, "etc/passwd"), "of the view\n");
	symlinkSync("/var/log/pods/p/c/0.log", join(view, "var/log/containers/c.log"));
	symlinkSync("/etc/passwd", join(view, "var/log/containers/passwd.log"));
	symlinkSync("../../../../../../etc/passwd", join(view, "var/log/containers/up.log"));
	const shown = async (path: string) => {
		const response = new PassThrough();
		// Serving files uses only a stream's methods and headers of the response.
		const answer = Object.assign(response, { setHeader() {} }) as never;
		await sendNodeLog({ logs: join(view, "var/log"), view }, path, answer);
		return text(response);
	};
	expect(await shown("/containers/c.log")).toBe("of the view\n");
	await expect(shown("/containers/passwd.log")).rejects.toThrow("404");
	await expect(shown("/containers/up.log")).rejects.toThrow("404");
	await expect(shown("/../../etc/passwd")).rejects.toThrow("404");
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
