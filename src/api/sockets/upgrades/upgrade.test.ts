import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import type { User } from "../../../core/exchange.ts";
import { type TestApi, type TestOptions, testApi } from "../../testing/test-api.ts";
import { duplexPair } from "../duplex-pair.ts";

const eve: User = { name: "eve", groups: ["system:authenticated"] };
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const pods = "/api/v1/namespaces/default/pods";
const session = ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "nodes/proxy"];

/** What eve is answered, until the connection ends or turns into something else. */
function asked(api: TestApi, method: string, path: string, headers: Record<string, string>): Promise<string> {
	const [socket, client] = duplexPair();
	let text = "";
	const rawHeaders = Object.entries(headers).flat();
	// Of an IncomingMessage, what an upgrade looks at.
	const incoming = { method, url: path, headers, rawHeaders, socket } as unknown as IncomingMessage;
	void api.upgrade(incoming, socket, Buffer.alloc(0), "authorization" in headers ? undefined : eve);
	return new Promise((resolve) => {
		client.on("data", (chunk: Buffer) => {
			text += chunk;
			if (text.includes("\r\n")) {
				resolve(text.split(" ")[1] ?? "");
				client.destroy();
			}
		});
	});
}

/** Agents answer whatever they are asked by becoming something else. */
function agent(): Duplex {
	const [near, far] = duplexPair();
	far.once("data", () => far.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
	return near;
}

async function cluster(verbs: string[], resources = session, options: TestOptions = {}): Promise<TestApi> {
	const api = await testApi({ roles: "bootstrap", dialAgent: async () => agent(), ...options });
	await api.ask("POST", `${rbac}/clusterroles`, {
		metadata: { name: "eve" },
		rules: [{ verbs, apiGroups: [""], resources }],
	});
	const roleRef = { kind: "ClusterRole", name: "eve" };
	await api.ask("POST", `${rbac}/clusterrolebindings`, {
		metadata: { name: "eve" },
		roleRef,
		subjects: [{ kind: "User", name: "eve" }],
	});
	await api.ask("POST", "/api/v1/nodes", { metadata: { name: "n1" } });
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	const spec = { nodeName: "n1", containers: [{ name: "c", image: "i" }] };
	expect((await api.ask("POST", pods, { metadata: { name: "p" }, spec })).status).toBe(201);
	return api;
}

const protocols = ["websocket", "SPDY/3.1", "h2c"];
const ways = [
	`${pods}/p/exec?command=id&stdout=true`,
	`${pods}/p/attach?stdout=true`,
	`${pods}/p/portforward?ports=80`,
	"/api/v1/nodes/n1/proxy/exec/default/p/c?command=id&output=1",
];

test("users who may only read reach no agent, with any protocol", async () => {
	const api = await cluster(["get", "list", "watch"]);
	for (const path of ways)
		for (const upgrade of protocols)
			expect([path, upgrade, await asked(api, "GET", path, { connection: "Upgrade", upgrade })]).toEqual([
				path,
				upgrade,
				"403",
			]);
	await api.close();
	const both = await cluster(["get", "create"]);
	for (const path of ways)
		expect(await asked(both, "GET", path, { connection: "Upgrade", upgrade: "SPDY/3.1" })).toBe("101");
	await both.close();
});

test("an upgrade stands for its own method: to create is neither to update nor to delete", async () => {
	const api = await cluster(["create"], [...session, "pods"]);
	const headers = { connection: "Upgrade", upgrade: "SPDY/3.1" };
	for (const method of ["PUT", "PATCH", "DELETE", "GET"])
		for (const path of [`${pods}/p:80/proxy/`, "/api/v1/nodes/n1/proxy/x", `${pods}/p/exec?command=id`, `${pods}/p`])
			expect([method, path, await asked(api, method, path, headers)]).toEqual([method, path, "403"]);
	expect(await asked(api, "BREW", `${pods}/p`, headers)).toBe("405");
	await api.close();
});

test("connections that are being made are requests under way: there are no more than so many, and they are counted", async () => {
	let reach: () => void = () => {};
	const reached = new Promise<void>((resolve) => (reach = resolve));
	let connect: (connection: Duplex) => void = () => {};
	const dialAgent = () => {
		reach();
		return new Promise<Duplex>((resolve) => (connect = resolve));
	};
	const api = await cluster(["get", "create"], session, { dialAgent, maxRequestsInFlight: 1 });
	const headers = { connection: "Upgrade", upgrade: "SPDY/3.1" };
	const [exec = ""] = ways;
	const first = asked(api, "POST", exec, headers);
	await reached;
	expect(await asked(api, "POST", exec, headers)).toBe("429");
	connect(agent());
	expect(await first).toBe("101");
	const metrics = (await api.ask("GET", "/metrics")).text();
	expect(metrics).toMatch(/^apiserver_request_total\{.*subresource="exec".*code="429".*\} 1$/m);
	await api.close();
});

test("a token in a subprotocol counts on WebSockets only, and alone", async () => {
	const user = { name: "bea", groups: ["system:masters"] };
	const api = await testApi({ authenticateToken: (text) => (text === "good" ? user : undefined) });
	const token = (text: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(text).toString("base64url")}`;
	const status = async (protocol: string, headers: Record<string, string>) =>
		(
			await api.ask("GET", pods, undefined, {
				user: undefined,
				headers: { "sec-websocket-protocol": protocol, ...headers },
			})
		).status;
	const upgrade = { connection: "Upgrade", upgrade: "websocket" };
	expect(await status(`${token("good")}, binary.k8s.io`, upgrade)).toBe(200);
	expect(await status(`${token("good")}, binary.k8s.io`, {})).toBe(401);
	expect(await status(`${token("good")}, ${token("bad")}`, upgrade)).toBe(401);
	expect(await status(`${token("good")}==, binary.k8s.io`, upgrade)).toBe(401);
	await api.close();
});
