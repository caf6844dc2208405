/** An extension API server behind an APIService: whether it is available, and what gets through to it. */
import { setMaxListeners } from "node:events";
import { afterEach, expect, test } from "vitest";
import type { User } from "../../core/exchange.ts";
import { closeAll } from "../testing/clients.ts";
import {
	availability,
	availableExtension,
	besideExtension,
	bundleOf,
	exposeExtension,
	proxyClient,
	register,
	through,
	until,
	wardle,
} from "../testing/extension-server.ts";

afterEach(closeAll);

const flunders = `${wardle}/namespaces/default/flunders`;
const apiService = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.wardle.example.com";

test("an APIService says why it is not available, and becomes available with its service", async () => {
	const { api, extension } = await besideExtension();
	await register(api, { caBundle: bundleOf(extension) });
	const becomes = (text: string) => until(async () => expect(await availability(api)).toContain(text));
	await becomes('False ServiceNotFound: service/hook in "default" is not present');
	expect(await through(api, "GET", flunders)).toMatchObject({ status: 503, text: "service unavailable\n" });
	const service = (port: number) => ({ metadata: { name: "hook" }, spec: { ports: [{ name: "https", port }] } });
	const services = "/api/v1/namespaces/default/services";
	await api.ask("POST", services, service(80));
	await becomes('False ServicePortError: service/hook in "default" is not listening on port 443');
	await api.ask("PATCH", `${services}/hook`, service(443), { type: "application/merge-patch+json" });
	await becomes('False EndpointsNotFound: cannot find endpointslices for service/hook in "default"');
	const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
	const slice = (port: number, ready: boolean) => ({
		metadata: { name: "hook", labels: { "kubernetes.io/service-name": "hook" } },
		addressType: "IPv4",
		ports: [{ name: "https", port }],
		endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready } }],
	});
	await api.ask("POST", slices, slice(1, false));
	await becomes(
		'False MissingEndpoints: endpointslices for service/hook in "default" have no addresses with port name "https"',
	);
	await api.ask("PUT", `${slices}/hook`, slice(1, true));
	await becomes("False FailedDiscoveryCheck: failing or missing response from https://10.");
	expect(await availability(api)).toMatch(
		/response from (https:\/\/[\d.]+:443\/apis\/wardle.example.com\/v1alpha1): Get "\1": dial tcp 127.0.0.1:1: connect: connection refused$/,
	);
	await api.ask("PUT", `${slices}/hook`, slice(extension.port, true));
	await becomes("True Passed: all checks passed");
	expect(extension.askedByItself[0]).toMatchObject({
		user: { username: "system:kube-aggregator" },
		requestURI: wardle,
	});
	expect((await through(api, "GET", flunders)).status).toBe(200);
	await api.ask("DELETE", apiService);
	expect((await through(api, "GET", flunders)).status).toBe(404);
});

test("requests are passed on with the user, and with nothing that the client says of itself", async () => {
	const { api, extension } = await availableExtension();
	const user: User = {
		name: "ann ü",
		uid: "u1",
		groups: ["a,b", "system:authenticated"],
		extra: { "example.com/Key%": ["one", "two"] },
	};
	const headers = {
		"x-remote-user": "root",
		"x-remote-group": "system:masters",
		"x-remote-extra-more": "x",
		authorization: "Bearer x",
		"x-other": "yes",
		"accept-language": "de",
	};
	const seen: Record<string, unknown>[] = [];
	extension.intercept = (request) => {
		if (request.method === "POST") seen.push(request.headers);
		return false;
	};
	const created = await through(
		api,
		"POST",
		`${flunders}?fieldManager=a%20b`,
		{ metadata: { name: "one" }, spec: { reference: "x" } },
		{ user, headers },
	);
	expect([created.status, JSON.parse(created.text)]).toMatchObject([
		201,
		{ kind: "Flunder", apiVersion: "wardle.example.com/v1alpha1", metadata: { name: "one", namespace: "default" } },
	]);
	expect(extension.asked).toEqual([
		{
			user: {
				username: "ann ü",
				uid: "u1",
				groups: ["a,b", "system:authenticated"],
				extra: { "example.com/key%": ["one", "two"] },
			},
			verb: "create",
			requestURI: `${flunders}?fieldManager=a+b`,
		},
	]);
	expect(seen[0]).toMatchObject({ "x-other": "yes", host: "hook.default.svc" });
	expect(seen[0]).not.toHaveProperty("authorization");
	const bad = await through(api, "GET", flunders, undefined, { user: { ...user, name: "a\r\nX-Remote-Group: b" } });
	expect([bad.status, bad.text]).toEqual([
		503,
		'error trying to reach service: net/http: invalid header field value for "x-remote-user"\n',
	]);
});

test("rights are asked for here, before anything is passed on", async () => {
	const { api, extension } = await availableExtension({ roles: "bootstrap" });
	const user: User = { name: "eve", groups: ["system:authenticated"] };
	expect((await api.ask("GET", flunders, undefined, { user })).object).toMatchObject({
		code: 403,
		message:
			'flunders.wardle.example.com is forbidden: User "eve" cannot list resource "flunders" in API group "wardle.example.com" in the namespace "default"',
	});
	expect((await api.ask("GET", flunders, undefined, { user: undefined })).status).toBe(401);
	expect(extension.asked).toEqual([]);
	// Discovery is for everyone.
	expect((await through(api, "GET", wardle, undefined, { user })).status).toBe(200);
});

test("redirects are not passed on, invalid responses are, and an aborted response is aborted", async () => {
	const { api, extension } = await availableExtension();
	extension.intercept = (_request, response) => {
		response.writeHead(302, { location: "https://example.com/" }).end();
		return true;
	};
	expect(await through(api, "GET", flunders)).toMatchObject({
		status: 502,
		text: "the backend attempted to redirect this request, which is not permitted\n",
	});
	extension.intercept = (_request, response) => {
		response.writeHead(418, { "content-type": "text/odd" }).end("{");
		return true;
	};
	expect(await through(api, "GET", flunders)).toMatchObject({
		status: 418,
		text: "{",
		headers: { "content-type": "text/odd" },
	});
	extension.intercept = (request) => {
		request.socket.destroy();
		return true;
	};
	expect(await through(api, "POST", flunders, {})).toMatchObject({
		status: 503,
		text: expect.stringContaining("error trying to reach service: "),
	});
	extension.intercept = (_request, response) => {
		response.writeHead(200, { "content-length": "100" });
		response.write("begun");
		setTimeout(() => response.destroy(), 10);
		return true;
	};
	await expect(through(api, "GET", flunders)).rejects.toThrow("aborted");
});

test("a server that hangs holds up no one else, and its APIService can be deleted", async () => {
	const { api, extension } = await availableExtension();
	let hanging = 0;
	extension.intercept = ({ url }) => {
		if (url === flunders) hanging++;
		return true;
	};
	const gone = new AbortController();
	setMaxListeners(0, gone.signal);
	const asked = Array.from({ length: 100 }, () => through(api, "GET", flunders, undefined, { signal: gone.signal }));
	await until(() => expect(hanging).toBe(100));
	expect((await api.ask("GET", flunders)).object).toMatchObject({ code: 429, details: { retryAfterSeconds: 1 } });
	expect((await api.ask("GET", "/api/v1/namespaces")).status).toBe(200);
	gone.abort();
	expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 503));
	expect((await api.ask("DELETE", apiService)).status).toBe(200);
	expect((await api.ask("GET", flunders)).status).toBe(404);
});

test("the certificates of both sides count", async () => {
	const { api, extension } = await besideExtension({ proxyClient: await proxyClient("someone") });
	await exposeExtension(api, extension.port);
	await register(api);
	await until(async () => expect(await availability(api)).toContain("certificate signed by unknown authority"));
	const patch = (spec: object) => api.ask("PATCH", apiService, { spec }, { type: "application/merge-patch+json" });
	await patch({ insecureSkipTLSVerify: true });
	// It knows no proxy of that name.
	await until(async () => expect(await availability(api)).toMatch(/bad status from .*: 401$/));
});

test("a group version can become local and remote again, except the group of APIServices itself", async () => {
	const { api, extension } = await availableExtension();
	const patch = (name: string, spec: object) =>
		api.ask(
			"PATCH",
			`/apis/apiregistration.k8s.io/v1/apiservices/${name}`,
			{ spec },
			{ type: "application/merge-patch+json" },
		);
	await patch("v1alpha1.wardle.example.com", { service: null, caBundle: null });
	await until(async () => expect(await availability(api)).toBe("True Local: Local APIServices are always available"));
	const service = { namespace: "default", name: "hook" };
	for (const [group, version] of [
		["batch", "v1"],
		["apiregistration.k8s.io", "v1"],
	] as const)
		await register(api, { group, version, service, caBundle: bundleOf(extension) }, version).then(() =>
			api.ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
				metadata: { name: `${version}.${group}` },
				spec: { group, version, groupPriorityMinimum: 1, versionPriority: 1, service, caBundle: bundleOf(extension) },
			}),
		);
	await until(async () => expect(await availability(api, "v1.batch")).toMatch(/bad status from .*: 404$/));
	expect((await api.ask("GET", "/apis/batch/v1/jobs")).status).toBe(503);
	expect((await api.ask("GET", "/apis/apiregistration.k8s.io/v1/apiservices")).object.items).toHaveLength(3);
	await api.ask("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1.batch");
	expect((await api.ask("GET", "/apis/batch/v1/jobs")).status).toBe(200);
});
