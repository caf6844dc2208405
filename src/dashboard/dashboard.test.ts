import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listener, listen } from "../api/listen.ts";
import { type TestApi, testApi } from "../api/testing/test-api.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { Assets } from "./assets.ts";
import { Dashboard } from "./dashboard.ts";

const folder = mkdtempSync(join(tmpdir(), "cox-dashboard-"));
writeFileSync(join(folder, "index.html.gz"), gzipSync("<p>page</p>"));
writeFileSync(join(folder, "main-1.js.gz"), gzipSync("script"));

const clock = new VirtualClock();
const admin = { name: "root", groups: ["system:masters", "system:authenticated"] };
const turned: unknown[] = [];
let api: TestApi;
let dashboard: Dashboard;
let listener: Listener;
let port = 0;

beforeAll(async () => {
	api = await testApi({ roles: "bootstrap" });
	const time = {
		status: () => ({ kind: "virtual" }),
		turn: async (command: unknown) => {
			turned.push(command);
			return { kind: "virtual" };
		},
	};
	const assets = new Assets(folder);
	dashboard = new Dashboard({ api, assets, time, clock, version: "1", port: () => port });
	listener = await listen(dashboard);
	port = listener.port ?? 0;
});

afterAll(async () => {
	await listener.close();
	await api.close();
	rmSync(folder, { recursive: true });
});

interface Reply {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
}

/** A request of which every header can be chosen, `Host` included. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET", body?: string): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const outgoing = httpRequest({ port, host: "127.0.0.1", path, method, headers, agent: false }, (incoming) => {
			let text = "";
			incoming.setEncoding("utf8");
			incoming.on("data", (part: string) => {
				text += part;
			});
			incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
		});
		outgoing.on("error", reject);
		outgoing.end(body);
	});
}

async function logIn(viewer: Parameters<Dashboard["loginPath"]>[0]): Promise<{ cookie: string; csrf: string }> {
	const { headers } = await ask(dashboard.loginPath(viewer));
	const [cookie = ""] = (headers["set-cookie"]?.[0] ?? "").split(";");
	const { csrf } = JSON.parse((await ask("/session", { cookie })).text);
	return { cookie, csrf };
}

test("a link logs in once, and only for two minutes; the cookie is for this site alone", async () => {
	const link = dashboard.loginPath({ user: admin, readOnly: false });
	const first = await ask(link);
	expect(first.status).toBe(200);
	expect(first.headers["set-cookie"]?.[0]).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
	expect((await ask(link)).status).toBe(403);
	expect((await ask("/login?ticket=guessed")).status).toBe(403);
	const late = dashboard.loginPath({ user: admin, readOnly: false });
	await clock.advance(121_000);
	expect((await ask(late)).status).toBe(403);
});

test("without a session there is neither a page nor an answer of the API", async () => {
	for (const path of ["/", "/session", "/live?path=/api/v1/pods", "/k8s/api/v1/pods"])
		expect((await ask(path)).status, path).toBe(401);
	expect((await ask("/assets/main-1.js")).text).toBe("script");
	expect((await ask("/assets/..%2Fsecret")).status).toBe(404);
});

test("other sites, and other names for this address, are refused", async () => {
	const { cookie, csrf } = await logIn({ user: admin, readOnly: false });
	const path = "/k8s/api/v1/namespaces";
	expect((await ask(path, { cookie })).status).toBe(200);
	expect((await ask(path, { cookie, host: "evil.example" })).status).toBe(403);
	expect((await ask(path, { cookie, host: `evil.example:${port}` })).status).toBe(403);
	expect((await ask(path, { cookie, origin: "https://evil.example" })).status).toBe(403);
	expect((await ask(path, { cookie, origin: "null" })).status).toBe(403);
	expect((await ask(path, { cookie, "sec-fetch-site": "cross-site" })).status).toBe(403);
	expect((await ask(dashboard.loginPath({ user: admin, readOnly: false }), { host: "evil.example" })).status).toBe(403);
	const draft = JSON.stringify({ metadata: { name: "made" } });
	const json = { cookie, "content-type": "application/json" };
	expect((await ask(path, json, "POST", draft)).status).toBe(403);
	expect((await ask(path, { ...json, "x-cox-csrf": "guessed" }, "POST", draft)).status).toBe(403);
	expect((await ask(path, { ...json, "x-cox-csrf": csrf }, "POST", draft)).status).toBe(201);
});

test("a viewer may do what its roles allow, whatever headers say", async () => {
	const { cookie } = await logIn({ user: { name: "ann", groups: ["system:authenticated"] }, readOnly: false });
	const { status, text } = await ask("/k8s/api/v1/nodes", {
		cookie,
		"impersonate-user": "root",
		"impersonate-group": "system:masters",
		"x-remote-user": "root",
		"x-remote-group": "system:masters",
		authorization: "Bearer stolen",
	});
	expect(status).toBe(403);
	expect(JSON.parse(text).message).toContain('User "ann" cannot list resource "nodes"');
});

test("a session that may only read changes nothing, the clock included", async () => {
	const { cookie, csrf } = await logIn({ user: admin, readOnly: true });
	const headers = { cookie, "x-cox-csrf": csrf, "content-type": "application/json" };
	const draft = JSON.stringify({ metadata: { name: "unmade" } });
	expect((await ask("/k8s/api/v1/namespaces", headers, "POST", draft)).status).toBe(403);
	expect((await ask("/k8s/api/v1/namespaces/default", headers, "DELETE")).status).toBe(403);
	expect((await ask("/clock", headers, "POST", '{"do":"stop"}')).status).toBe(403);
	const review = {
		apiVersion: "authorization.k8s.io/v1",
		kind: "SelfSubjectAccessReview",
		spec: { nonResourceAttributes: { path: "/", verb: "get" } },
	};
	const path = "/k8s/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
	expect((await ask(path, headers, "POST", JSON.stringify(review))).status).toBe(201);
	expect(turned).toEqual([]);
});

test("only administrators control the clock", async () => {
	for (const [groups, status] of [
		[["system:authenticated"], 403],
		[admin.groups, 200],
	] as const) {
		const { cookie, csrf } = await logIn({ user: { name: "x", groups }, readOnly: false });
		const headers = { cookie, "x-cox-csrf": csrf };
		expect((await ask("/clock", headers, "POST", '{"do":"stop"}')).status).toBe(status);
	}
	expect(turned).toEqual([{ do: "stop" }]);
});

test("nothing that others wrote becomes a page of this origin", async () => {
	const { cookie } = await logIn({ user: admin, readOnly: false });
	for (const path of ["pods/a/proxy/", "services/a/proxy/x", "services/a/proxy", "pods/a/prox%79/"]) {
		const whole = `/api/v1/namespaces/default/${path}`;
		expect((await ask(`/k8s${whole}`, { cookie })).status, path).toBe(403);
		expect((await ask(`/live?path=${encodeURIComponent(whole)}`, { cookie })).status, path).toBe(403);
	}
	expect((await ask("/k8s/api/v1/namespaces/default/services/proxy", { cookie })).status).toBe(404);
	const { headers } = await ask("/k8s/api/v1/namespaces", { cookie });
	expect(headers["content-security-policy"]).toContain("sandbox");
	expect(headers["x-content-type-options"]).toBe("nosniff");
	const page = await ask("/", { cookie });
	expect(page.headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
});

test("one stream has the objects of several watches, and says what may not be watched", async () => {
	await api.ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "seen" } });
	const { cookie } = await logIn({ user: { name: "root", groups: admin.groups }, readOnly: false });
	const lines = await streamed("/live?path=/api/v1/configmaps&path=/api/v1/unknowns", cookie, 3);
	const told = lines.map(({ p, t, o }) => `${t} ${p.split("/").at(-1)} ${o.metadata?.name ?? ""}`.trim());
	expect(told.sort()).toEqual(["ADDED configmaps seen", "BOOKMARK configmaps", "DENIED unknowns"]);
	expect((await ask("/live", { cookie })).status).toBe(400);
});

interface LiveLine {
	p: string;
	t: string;
	o: { metadata?: { name?: string } };
}

/** The first lines of a stream, which is then cut off. */
function streamed(path: string, cookie: string, count: number): Promise<LiveLine[]> {
	return new Promise((resolve, reject) => {
		const outgoing = httpRequest({ port, host: "127.0.0.1", path, headers: { cookie } }, (incoming) => {
			let text = "";
			incoming.setEncoding("utf8");
			incoming.on("data", (part: string) => {
				text += part;
				const lines = text.split("\n").slice(0, -1);
				if (lines.length < count) return;
				incoming.destroy();
				resolve(lines.map((line) => JSON.parse(line)));
			});
		});
		outgoing.on("error", reject);
		outgoing.end();
	});
}

test("a stream of a pod needs a session, and comes from the page itself", async () => {
	const { cookie } = await logIn({ user: admin, readOnly: false });
	const readOnly = await logIn({ user: admin, readOnly: true });
	const socket = {
		connection: "Upgrade",
		upgrade: "websocket",
		"sec-websocket-version": "13",
		"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
	};
	const path = "/k8s/api/v1/namespaces/default/pods/none/exec?command=sh&stdout=true";
	const origin = `http://127.0.0.1:${port}`;
	for (const headers of [
		{ origin },
		{ cookie },
		{ cookie, origin: "http://evil.example" },
		{ cookie: readOnly.cookie, origin },
	])
		expect((await ask(path, { ...socket, ...headers } as Record<string, string>)).status).toBe(403);
	// With all of it, the API server answers: there is no such pod.
	expect((await ask(path, { ...socket, cookie, origin })).status).toBe(404);
});
