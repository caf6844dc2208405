import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startStateMetrics } from "./state-metrics-server.ts";

test("answers as kube-state-metrics, with what the API server tells the user who asks", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-metrics-"));
	const socketPath = join(folder, "api.sock");
	const api = createServer((request, response) => {
		const { authorization } = request.headers;
		response.writeHead(authorization === "Bearer other" ? 403 : 200, { "content-type": "text/plain; version=0.0.4" });
		response.end(`${request.url} ${authorization}\n`);
	});
	await new Promise<void>((resolve) => api.listen(socketPath, resolve));
	const server = await startStateMetrics({ address: "127.0.0.1", port: 0, socketPath, token: "own" });
	const ask = async (path: string, init?: RequestInit) => {
		const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
		return [response.status, await response.text()];
	};
	try {
		expect(await ask("/metrics")).toEqual([200, "/metrics/workloads Bearer own\n"]);
		// The client's own token is used, so that an administrator can require one.
		expect((await ask("/metrics", { headers: { authorization: "Bearer other" } }))[0]).toBe(403);
		expect(await ask("/healthz")).toEqual([200, "OK"]);
		expect((await ask("/"))[1]).toContain("/metrics");
		expect((await ask("/api/v1/secrets"))[0]).toBe(404);
		expect((await ask("/metrics", { method: "POST", body: "x" }))[0]).toBe(405);
		await new Promise<void>((resolve) => {
			api.close(() => resolve());
			api.closeAllConnections();
		});
		expect((await ask("/metrics"))[0]).toBe(503);
	} finally {
		await server.close();
		api.close();
		rmSync(folder, { recursive: true });
	}
});
