import { connect as connectHttp2 } from "node:http2";
import { Agent } from "node:https";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import { listen } from "../listen.ts";
import { testCertificates } from "../testing/certificates.ts";
import { closeAll, closers, configMaps, http1, http2, secure, sharedCertificates } from "../testing/clients.ts";
import { testApi } from "../testing/test-api.ts";

afterEach(closeAll);

test("values of impersonation headers are taken as they come, over HTTP/1.1 and HTTP/2", async () => {
	const { tls, origin } = await secure();
	const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
	const asked = {
		"impersonate-user": "ann, and bob",
		"impersonate-group": [",,,chameleon", "Gr\u00c3\u00bcn"],
		"impersonate-extra-scopes": ["a,b", "c"],
	};
	const seen = {
		username: "ann, and bob",
		groups: [",,,chameleon", "Gr\u00fcn", "system:authenticated"],
		extra: { scopes: ["a,b", "c"] },
	};
	const plain = await http1(`${origin}${path}`, { ...tls, method: "POST", headers: asked }, Buffer.from("{}"));
	expect(JSON.parse(plain.body.toString()).status.userInfo).toEqual(seen);
	const session = connectHttp2(origin, tls);
	closers.push(() => session.close());
	const reply = await http2(session, { ":method": "POST", ":path": path, ...asked }, "{}");
	expect(JSON.parse(reply.body.toString()).status.userInfo).toEqual(seen);
});

test("HTTP/1.1 and HTTP/2 answer on the same port, and know the client by its certificate", async () => {
	const { tls, origin } = await secure();
	const body = JSON.stringify({ metadata: { name: "a" } });
	const made = await http1(
		`${origin}${configMaps}`,
		{ ...tls, method: "POST", headers: { "content-type": "application/json" } },
		body,
	);
	expect(made.status).toBe(201);
	const session = connectHttp2(origin, tls);
	closers.push(() => session.close());
	const got = await http2(session, { ":path": `${configMaps}/a` });
	expect(JSON.parse(got.body.toString())).toEqual(JSON.parse(made.body.toString()));
	const whoami = await http2(
		session,
		{ ":method": "POST", ":path": "/apis/authentication.k8s.io/v1/selfsubjectreviews" },
		"{}",
	);
	expect(JSON.parse(whoami.body.toString()).status.userInfo).toEqual({
		username: "ann",
		groups: ["system:masters", "system:authenticated"],
		extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=/)] },
	});
	const head = await http2(session, { ":method": "HEAD", ":path": `${configMaps}/a` });
	expect([head.status, head.body.length]).toEqual([200, 0]);
});

test("without a certificate or token one is unauthorized", async () => {
	const { tls, origin } = await secure({
		authenticateToken: (token) => (token === "secret" ? { name: "bot", groups: [] } : undefined),
	});
	expect((await http1(`${origin}${configMaps}`, { ca: tls.ca })).status).toBe(401);
	expect((await http1(`${origin}/readyz`, { ca: tls.ca })).body.toString()).toBe("ok");
	const withToken = (token: string) =>
		http1(`${origin}${configMaps}`, { ca: tls.ca, headers: { authorization: `Bearer ${token}` } });
	expect((await withToken("secret")).status).toBe(200);
	expect((await withToken("wrong")).status).toBe(401);
});

test("a certificate names its user by a chain to our authority, with its digest", async () => {
	const { tls, origin } = await secure();
	const path = `${origin}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
	for (const options of [{}, { usage: "client" }, { chain: true }] as const) {
		const cert = await (await sharedCertificates()).client("CN=ann, O=system:masters, O=dev", options);
		const { body } = await http1(path, { ca: tls.ca, ...cert, method: "POST" }, "{}");
		expect(JSON.parse(body.toString()).status.userInfo).toEqual({
			username: "ann",
			groups: ["system:masters", "dev", "system:authenticated"],
			extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
		});
	}
});

test("an invalid client certificate is refused on every path, unless there is a valid token", async () => {
	const { tls, origin } = await secure({
		authenticateToken: (token) => (token === "secret" ? { name: "bot", groups: ["system:masters"] } : undefined),
	});
	const nowMs = systemClock().now();
	const another = await testCertificates(nowMs, "other-ca");
	const root = "CN=ann, O=system:masters";
	const bad = {
		"another authority": await another.client(root),
		expired: await (await sharedCertificates()).client(root, { untilMs: nowMs - 1000 }),
		"not yet valid": await (await sharedCertificates()).client(root, { fromMs: nowMs + 3_600_000 }),
		"a server's": await (await sharedCertificates()).client(root, { usage: "server" }),
	};
	const wellKnown = await (await sharedCertificates()).client("O=system:masters");
	const statusOf = async (path: string, cert: object | undefined, headers: Record<string, string> = {}) =>
		(await http1(`${origin}${path}`, { ca: tls.ca, ...cert, headers })).status;
	for (const [what, cert] of Object.entries(bad)) {
		expect([what, await statusOf(configMaps, cert)]).toEqual([what, 401]);
		expect([what, await statusOf("/readyz", cert)]).toEqual([what, 401]);
		expect([what, await statusOf(configMaps, cert, { authorization: "Bearer secret" })]).toEqual([what, 200]);
		expect([what, await statusOf("/readyz", cert, { authorization: "Bearer wrong" })]).toEqual([what, 401]);
	}
	// Without a common name it names nobody.
	expect([await statusOf(configMaps, wellKnown), await statusOf("/readyz", wellKnown)]).toEqual([401, 200]);
});

test("a connection that outlasts its certificate is refused, on both protocols", async () => {
	const nowMs = systemClock().now();
	const shared = await sharedCertificates();
	const api = await testApi();
	let elapsedMs = 0;
	const clock = { ...systemClock({ unref: true }), now: () => nowMs + elapsedMs };
	const listener = await listen(api, { tls: { ...shared.server, clientCa: shared.ca }, clock });
	const cert = await shared.client("CN=ann, O=system:masters", { untilMs: nowMs + 3_600_000 });
	const origin = `https://127.0.0.1:${listener.port}`;
	const session = connectHttp2(origin, { ca: shared.ca, ...cert });
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	closers.push(
		() => api.close(),
		() => listener.close(),
		() => session.close(),
		() => agent.destroy(),
	);
	const statuses = async () => [
		(await http2(session, { ":path": configMaps })).status,
		(await http1(`${origin}${configMaps}`, { ca: (await sharedCertificates()).ca, ...cert, agent })).status,
	];
	expect(await statuses()).toEqual([200, 200]);
	elapsedMs = 3_600_000;
	expect(await statuses()).toEqual([401, 401]);
});

test("anonymous clients may only read health and version; an invalid token is refused there, too", async () => {
	const { tls, origin } = await secure();
	const statusOf = async (path: string, authorization?: string) =>
		(await http1(`${origin}${path}`, { ca: tls.ca, headers: authorization === undefined ? {} : { authorization } }))
			.status;
	for (const path of ["/healthz", "/livez", "/readyz", "/livez?verbose", "/version"])
		expect([path, await statusOf(path)]).toEqual([path, 200]);
	for (const path of [
		"/",
		"/api",
		"/apis",
		"/api/v1",
		"/openapi/v2",
		"/metrics",
		"/versions",
		"/version/x",
		"/healthzz",
		"/readyz/ping",
		"/openid/v1/jwks",
		"/.well-known/openid-configuration",
		"/api/v1/namespaces/default",
		"//healthz",
	])
		expect([path, await statusOf(path)]).toEqual([path, 401]);
	for (const authorization of ["Bearer x", "bearer x", "BEARER x", "Bearer x y"])
		expect([authorization, await statusOf("/healthz", authorization)]).toEqual([authorization, 401]);
	for (const authorization of ["Basic YTpi", "Bearer", "Bearer ", "Digest x", ""])
		expect([authorization, await statusOf(configMaps, authorization)]).toEqual([authorization, 401]);
});

test("a certificate of another authority authenticates nobody", async () => {
	const { tls, origin } = await secure();
	const stranger = await (await testCertificates(systemClock().now(), "other-ca")).client("CN=eve, O=system:masters");
	expect((await http1(`${origin}${configMaps}`, { ca: tls.ca, ...stranger })).status).toBe(401);
});
