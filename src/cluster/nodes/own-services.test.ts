import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { ownServices } from "./own-services.ts";

test("what nodes answer themselves is reached without one, and nothing else is", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-own-services-"));
	const apiSocket = join(folder, "api.sock");
	const apiTlsSocket = join(folder, "api-tls.sock");
	const servers = [apiSocket, apiTlsSocket].map((path) => {
		const server = createServer((incoming, response) =>
			response.end(`${path === apiSocket ? "plain" : "tls"} ${incoming.url} ${incoming.headers.authorization}`),
		);
		return new Promise<typeof server>((resolve) => server.listen(path, () => resolve(server)));
	});
	const reach = ownServices({
		network: { clusterCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" },
		apiSocket,
		apiTlsSocket,
		token: "own",
	});
	const ask = (connection: Duplex | undefined, path: string) =>
		new Promise<string>((resolve, reject) => {
			if (connection === undefined) return resolve("nothing there");
			const asked = request({ path, createConnection: () => connection, headers: { connection: "close" } });
			asked.once("error", reject);
			asked.once("response", (response) => {
				let text = "";
				response.on("data", (chunk) => {
					text += chunk;
				});
				response.on("end", () => resolve(text));
			});
			asked.end();
		});
	try {
		expect(await ask(reach("10.96.0.11", 8080), "/metrics")).toBe("plain /metrics/workloads Bearer own");
		expect(await ask(reach("10.96.0.11", 8080), "/healthz")).toBe("OK");
		expect(await ask(reach("10.96.0.1", 443), "/version")).toBe("tls /version undefined");
		for (const [address, port] of [
			["10.96.0.11", 80],
			["10.96.0.10", 53],
			["127.0.0.1", 8080],
		] as const)
			expect(await ask(reach(address, port), "/")).toBe("nothing there");
	} finally {
		for (const server of servers) (await server).close();
		rmSync(folder, { recursive: true });
	}
});
