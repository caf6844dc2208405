import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { configMaps } from "../../kinds/core/configmap.ts";
import type { ConfigMap } from "../../kinds/generated/types.ts";
import type { Client } from "../client.ts";
import { createClient } from "../requests.ts";
import { httpTransport } from "./http.ts";

const cleanUp: (() => Promise<void> | void)[] = [];

afterEach(async () => {
	for (const clean of cleanUp.splice(0).reverse()) await clean();
});

function listen(handler: RequestListener, at: { port: number; host: string } | { path: string }): Promise<Server> {
	const server = createServer(handler);
	cleanUp.push(() => {
		server.closeAllConnections();
		return new Promise<void>((resolve) => server.close(() => resolve()));
	});
	return new Promise((resolve) => server.listen(at, () => resolve(server)));
}

async function clientOf(handler: RequestListener): Promise<Client> {
	const server = await listen(handler, { port: 0, host: "127.0.0.1" });
	const address = server.address();
	// A server on a port has an address object.
	const { port } = address as { port: number };
	return closing(createClient(httpTransport({ server: `http://127.0.0.1:${port}`, token: "secret" })));
}

function closing(client: Client): Client {
	cleanUp.push(() => client.close());
	return client;
}

const object = {
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name: "a", namespace: "default", resourceVersion: "7" },
};
const ref = { namespace: "default", name: "a" };

test("a request carries method, path, query, token and body, and its answer is frozen", async () => {
	const client = await clientOf((request, response) => {
		let body = "";
		request.on("data", (chunk) => {
			body += chunk;
		});
		request.on("end", () => {
			const seen = [
				request.method,
				request.url,
				request.headers["authorization"],
				request.headers["content-type"],
				body,
			];
			response.setHeader("content-type", "application/json");
			response.end(JSON.stringify({ ...object, data: { seen: JSON.stringify(seen) } }));
		});
	});
	const patched = await client.patch(configMaps, ref, {
		type: "apply",
		object: { a: 1 },
		fieldManager: "me",
		force: true,
	});
	expect(JSON.parse(patched.data?.["seen"] ?? "")).toEqual([
		"PATCH",
		"/api/v1/namespaces/default/configmaps/a?fieldManager=me&force=true",
		"Bearer secret",
		"application/apply-patch+yaml",
		'{"a":1}',
	]);
	expect(Object.isFrozen(patched.metadata)).toBe(true);
});

test("a Status becomes an ApiError with its reason", async () => {
	const client = await clientOf((_request, response) => {
		response.writeHead(404, { "content-type": "application/json" });
		response.end(JSON.stringify({ kind: "Status", status: "Failure", reason: "NotFound", message: "gone", code: 404 }));
	});
	await expect(client.get(configMaps, ref)).rejects.toMatchObject({
		name: "ApiError",
		reason: "NotFound",
		message: "gone",
	});
});

test("a Status without a reason, as admission webhooks may make it, has that of its code", async () => {
	const client = await clientOf((_request, response) => {
		response.writeHead(400, { "content-type": "application/json" });
		response.end(JSON.stringify({ kind: "Status", status: "Failure", message: "denied", code: 400 }));
	});
	await expect(client.get(configMaps, ref)).rejects.toMatchObject({ reason: "BadRequest", message: "denied" });
});

test("a server that cannot be reached surely did nothing; one that hangs up may have done it", async () => {
	const server = await listen(() => {}, { port: 0, host: "127.0.0.1" });
	const { port } = server.address() as { port: number };
	await new Promise<void>((resolve) => server.close(() => resolve()));
	const unreachable = closing(createClient(httpTransport({ server: `http://127.0.0.1:${port}` })));
	await expect(unreachable.delete(configMaps, ref)).rejects.toMatchObject({ reason: "ServiceUnavailable" });
	const hangingUp = await clientOf((request) => request.socket.destroy());
	await expect(hangingUp.delete(configMaps, ref)).rejects.toMatchObject({ reason: "Timeout" });
});

test("a server that switches to another protocol has not answered", async () => {
	const client = await clientOf(({ socket }) =>
		socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
	);
	await expect(client.get(configMaps, ref)).rejects.toThrow("unexpected switch to another protocol");
});

test("an answer cut in the middle is uncertain", async () => {
	const client = await clientOf((_request, response) => {
		response.writeHead(200, { "content-type": "application/json", "content-length": 1000 });
		response.write("{");
		response.socket?.end();
	});
	await expect(client.create(configMaps, { metadata: ref })).rejects.toMatchObject({ reason: "Timeout" });
});

test("a watch reads lines however they are cut, and ends with its connection", async () => {
	const folder = mkdtempSync(join(tmpdir(), "client-"));
	cleanUp.push(() => rmSync(folder, { recursive: true }));
	const path = join(folder, "api.sock");
	const text = ["ADDED", "MODIFIED", "BOOKMARK"]
		.map((type) => `${JSON.stringify({ type, object: { ...object, data: { ü: "ä" } } })}\n`)
		.join("");
	await listen(
		(_request, response) => {
			response.writeHead(200, { "content-type": "application/json" });
			const bytes = Buffer.from(text);
			for (let start = 0; start < bytes.length; start += 7) response.write(bytes.subarray(start, start + 7));
			response.end();
		},
		{ path },
	);
	const client = closing(createClient(httpTransport({ socketPath: path })));
	const seen: [string, number, ConfigMap][] = [];
	const error = await new Promise<Error | undefined>((resolve) => {
		const options = { resourceVersion: "1", signal: new AbortController().signal };
		client.watch(configMaps, options, {
			event: ({ type, revision, object: changed }) => seen.push([type, revision, changed]),
			end: resolve,
		});
	});
	expect(error).toBeUndefined();
	expect(seen.map(([type, revision]) => [type, revision])).toEqual([
		["ADDED", 7],
		["MODIFIED", 7],
		["BOOKMARK", 7],
	]);
	expect(seen[0]?.[2].data).toEqual({ ü: "ä" });
});
