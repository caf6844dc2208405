import { connect as connectHttp2 } from "node:http2";
import { Agent } from "node:https";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import { listen } from "../listen.ts";
import { type TestCertificates, testCertificates } from "../testing/certificates.ts";
import { closeAll, closers, http1, http2, sharedCertificates } from "../testing/clients.ts";
import { testApi } from "../testing/test-api.ts";
import { defaultIdentityHeaders, type FrontProxyTrust } from "./front-proxy.ts";

afterEach(closeAll);

const whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
let authority: Promise<TestCertificates> | undefined;

function proxyAuthority(): Promise<TestCertificates> {
	authority ??= testCertificates(systemClock().now(), "proxy-ca");
	return authority;
}

async function behindProxies(trust: Partial<FrontProxyTrust> = {}) {
	const [clients, proxies] = await Promise.all([sharedCertificates(), proxyAuthority()]);
	const api = await testApi();
	const frontProxy = { ca: proxies.ca, names: ["front"], headers: defaultIdentityHeaders, ...trust };
	const listener = await listen(api, { tls: { ...clients.server, clientCa: clients.ca, frontProxy } });
	closers.push(
		() => api.close(),
		() => listener.close(),
	);
	const origin = `https://127.0.0.1:${listener.port}`;
	const ask = async (client: object, headers: Record<string, string | string[]> = {}, path = whoami) => {
		const method = path === whoami ? "POST" : "GET";
		const options = { ca: clients.ca, ...client, method, headers };
		const { status, body } = await http1(
			`${origin}${path}`,
			options,
			method === "POST" ? Buffer.from("{}") : undefined,
		);
		return status === 201 ? JSON.parse(body.toString()).status.userInfo : status;
	};
	return { clients, proxies, origin, ask };
}

const asked = {
	"x-remote-user": "ann",
	"x-remote-uid": "u-1",
	"X-Remote-Group": ["crew", "a, b", "Gr\u00c3\u00bcn"],
	"X-Remote-Extra-Example.com%2fScopes": ["read", "write"],
};
const ann = {
	username: "ann",
	uid: "u-1",
	groups: ["crew", "a, b", "Gr\u00fcn", "system:authenticated"],
	extra: { "example.com/scopes": ["read", "write"] },
};

test("a proxy names the user in headers of each request, over HTTP/1.1 and HTTP/2", async () => {
	const { proxies, clients, origin, ask } = await behindProxies();
	const proxy = await proxies.client("CN=front");
	expect(await ask(proxy, asked)).toEqual(ann);
	const session = connectHttp2(origin, { ca: clients.ca, ...proxy });
	closers.push(() => session.close());
	const as = async (headers: object) => {
		const reply = await http2(session, { ":method": "POST", ":path": whoami, ...headers }, "{}");
		return reply.status === 201 ? JSON.parse(reply.body.toString()).status.userInfo : reply.status;
	};
	expect(await as(asked)).toEqual(ann);
	expect(await as({ "x-remote-user": "bob" })).toEqual({ username: "bob", groups: ["system:authenticated"] });
	expect(await as({})).toBe(401);
});

test("these headers are ignored from clients", async () => {
	const { clients, ask } = await behindProxies();
	const { username, groups } = await ask(await clients.client("CN=eve, O=crew"), asked);
	expect([username, groups]).toEqual(["eve", ["crew", "system:authenticated"]]);
	// Not even with the name of a proxy.
	expect(await ask(await clients.client("CN=front"), asked)).toMatchObject({ username: "front" });
	expect(await ask({}, asked)).toBe(401);
});

test("a certificate for proxies does not authenticate its owner as a user", async () => {
	const { proxies, ask } = await behindProxies();
	expect(await ask(await proxies.client("CN=front, O=system:masters"))).toBe(401);
	expect(await ask(await proxies.client("CN=other"), asked)).toBe(401);
	expect(await ask(await proxies.client("CN=other"), asked, "/healthz")).toBe(401);
	const old = systemClock().now() - 1000;
	expect(await ask(await proxies.client("CN=front", { untilMs: old }), asked)).toBe(401);
});

test("without names any certificate of the authority is a proxy's, also one that another authority signed between", async () => {
	const { proxies, ask } = await behindProxies({ names: [] });
	expect(await ask(await proxies.client("CN=other", { chain: true }), asked)).toEqual(ann);
});

test("headers have the names that are asked for; the first name that is not empty counts", async () => {
	const headers = {
		username: ["X-Forwarded-User", "X-Remote-User"],
		uid: [],
		group: ["X-Teams", "X-Remote-Group"],
		extraPrefix: [],
	};
	const { proxies, ask } = await behindProxies({ headers });
	const more = { "x-forwarded-user": " ", "x-teams": "rowers" };
	expect(await ask(await proxies.client("CN=front"), { ...asked, ...more })).toEqual({
		username: "ann",
		groups: ["rowers", "crew", "a, b", "Gr\u00fcn", "system:authenticated"],
	});
});

test("a connection that is resumed is still a proxy's", async () => {
	const { proxies, clients, origin } = await behindProxies();
	const agent = new Agent({ keepAlive: false, maxCachedSessions: 1 });
	closers.push(() => agent.destroy());
	const proxy = await proxies.client("CN=front");
	const options = { ca: clients.ca, ...proxy, agent, method: "POST", headers: { "x-remote-user": "ann" } };
	for (let round = 0; round < 3; round++) {
		const { status, body } = await http1(`${origin}${whoami}`, options, "{}");
		expect([status, JSON.parse(body.toString()).status.userInfo.username]).toEqual([201, "ann"]);
	}
});
