import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { type Listener, listen } from "./listen.ts";
import { closeAll, closers, configMaps, http1, http2, secure } from "./testing/clients.ts";
import { testApi } from "./testing/test-api.ts";

afterEach(closeAll);

test("watches stream lines over both protocols and end when the server closes", async () => {
	const { api, listener, tls, origin } = await secure();
	const session = connectHttp2(origin, tls);
	const watches = [
		http2(session, { ":path": `${configMaps}?watch=true` }),
		http1(`${origin}${configMaps}?watch=true`, tls),
	];
	// Both have been answered when both see the first change.
	await http2(session, { ":path": "/readyz" });
	await http1(`${origin}/readyz`, tls);
	await api.ask("POST", configMaps, { metadata: { name: "a" } });
	await new Promise((resolve) => setImmediate(resolve));
	await listener.close();
	session.close();
	for (const { body } of await Promise.all(watches)) {
		const lines = body.toString().trimEnd().split("\n");
		expect(lines.map((line) => JSON.parse(line).type)).toEqual(["ADDED"]);
	}
});

test("a watch that is too old gets an ERROR event with a Status", async () => {
	const { api, tls, origin } = await secure({ watchHistory: 2 });
	for (let index = 0; index < 10; index++) await api.ask("POST", configMaps, { metadata: { name: `c${index}` } });
	const { body } = await http1(`${origin}${configMaps}?watch=true&resourceVersion=1`, tls);
	expect(JSON.parse(body.toString())).toMatchObject({
		type: "ERROR",
		object: { kind: "Status", code: 410, reason: "Expired" },
	});
});

test("bodies have a limit", async () => {
	const { tls, origin } = await secure();
	const headers = { "content-type": "application/json" };
	const large = await http1(
		`${origin}${configMaps}`,
		{ ...tls, method: "POST", headers },
		Buffer.alloc(4 * 1024 * 1024, " "),
	);
	expect(large.status).toBe(413);
	expect(JSON.parse(large.body.toString())).toMatchObject({
		reason: "RequestEntityTooLarge",
		message: "Request entity too large: limit is 3145728",
	});
});

test("large lists are compressed for those who can read it, and pretty for people", async () => {
	const { api, tls, origin } = await secure();
	for (let index = 0; index < 40; index++)
		await api.ask("POST", configMaps, { metadata: { name: `c${index}` }, data: { x: "y".repeat(8000) } });
	const plain = await http1(`${origin}${configMaps}`, tls);
	const packed = await http1(`${origin}${configMaps}`, { ...tls, headers: { "accept-encoding": "gzip" } });
	expect(packed.headers["content-encoding"]).toBe("gzip");
	expect(packed.body.length).toBeLessThan(plain.body.length / 10);
	expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
	const pretty = await http1(`${origin}${configMaps}/c1?pretty=true`, tls);
	expect(pretty.body.toString()).toContain('\n  "kind": "ConfigMap"');
});

test("a Unix socket without TLS knows its one user", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-listen-"));
	closers.push(() => rmSync(folder, { recursive: true }));
	const socketPath = join(folder, "api.sock");
	const api = await testApi();
	for (let round = 0; round < 2; round++) {
		const listener: Listener = await listen(api, { socketPath, user: { name: "local", groups: ["system:masters"] } });
		expect((await http1(`http://localhost${configMaps}`, { socketPath })).status).toBe(200);
		await listener.close();
	}
});

/** An agent in this process that answers as `serve` says. */
