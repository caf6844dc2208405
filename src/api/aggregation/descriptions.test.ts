/** Discovery and OpenAPI of this server together with those of extension API servers. */
import { afterEach, expect, test } from "vitest";
import { closeAll, closers } from "../testing/clients.ts";
import {
	besideExtension,
	bundleOf,
	exposeExtension,
	register,
	through,
	until,
	wardle,
} from "../testing/extension-server.ts";
import { testApi } from "../testing/test-api.ts";

afterEach(closeAll);

const aggregated = (version: string) =>
	`application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;

async function served(spec: object = {}) {
	const { api, extension } = await besideExtension();
	await exposeExtension(api, extension.port);
	const document = async (version = "v2") =>
		(await api.ask("GET", "/apis", undefined, { headers: { accept: aggregated(version) } })).object;
	const group = async (version?: string) =>
		(await document(version)).items.find(
			({ metadata }: { metadata: { name: string } }) => metadata.name === "wardle.example.com",
		);
	const caBundle = bundleOf(extension);
	await register(api, { caBundle, ...spec });
	return { api, extension, document, group, caBundle };
}

test("an extension server's resources are listed with the others, and marked while it is silent", async () => {
	const { api, extension, document, group, caBundle } = await served({ groupPriorityMinimum: 17_790 });
	await until(async () => expect((await group())?.versions[0]).toMatchObject({ freshness: "Current" }));
	const [flunders] = (await group()).versions[0].resources.filter(
		({ resource }: { resource: string }) => resource === "flunders",
	);
	expect(flunders).toEqual({
		resource: "flunders",
		responseKind: { group: "wardle.example.com", version: "v1alpha1", kind: "Flunder" },
		scope: "Namespaced",
		singularResource: "flunder",
		shortNames: ["fl"],
		verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
	});
	expect(await group("v2beta1")).toEqual(await group());
	const names = (await api.ask("GET", "/apis")).object.groups.map(({ name }: { name: string }) => name);
	expect(names.slice(0, 4)).toEqual(["apiregistration.k8s.io", "apps", "wardle.example.com", "events.k8s.io"]);
	expect((await document()).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(names);
	// The document of a group version comes from the server itself.
	expect(JSON.parse((await through(api, "GET", wardle)).text)).toMatchObject({ kind: "APIResourceList" });
	// Another version has a higher priority of its own.
	await register(api, { caBundle, versionPriority: 201 }, "v1beta1");
	const versions = async () => (await api.ask("GET", "/apis/wardle.example.com")).object;
	expect(await versions()).toMatchObject({
		versions: [{ version: "v1beta1" }, { version: "v1alpha1" }],
		preferredVersion: { groupVersion: "wardle.example.com/v1beta1" },
	});
	await until(async () => expect((await group()).versions[0].resources).toHaveLength(1));
	extension.https.closeAllConnections();
	extension.https.close();
	await api.ask("DELETE", "/api/v1/namespaces/default/services/hook");
	await until(async () =>
		expect((await group()).versions).toMatchObject([
			{ version: "v1beta1", freshness: "Stale", resources: [{ resource: "flunders" }] },
			{ version: "v1alpha1", freshness: "Stale" },
		]),
	);
	const metrics = (await api.ask("GET", "/metrics")).text();
	expect(metrics).toContain('aggregator_unavailable_apiservice{name="v1beta1.wardle.example.com"} 1');
	expect(metrics).toContain(
		'aggregator_unavailable_apiservice_total{name="v1beta1.wardle.example.com",reason="ServiceNotFound"} 1',
	);
	for (const version of ["v1alpha1", "v1beta1"])
		await api.ask("DELETE", `/apis/apiregistration.k8s.io/v1/apiservices/${version}.wardle.example.com`);
	expect(await group()).toBeUndefined();
	expect((await api.ask("GET", "/apis/wardle.example.com")).status).toBe(404);
});

test("a server with only the older form is asked for that, and invalid responses count as failures", async () => {
	const { extension, group } = await served();
	const documents: Record<string, [type: string, text: string]> = {};
	const answer = { discovery: "legacy" };
	extension.intercept = ({ url = "" }, response) => {
		if (url === "/apis") {
			documents[url] = [String(response.req.headers.accept), ""];
			const text =
				answer.discovery === "legacy" ? '{"kind":"APIGroupList","groups":[]}' : '{"items":[{"metadata":3},7]}';
			const type = answer.discovery === "legacy" ? "application/json" : aggregated("v2").split(",")[0];
			response.writeHead(200, { "content-type": type }).end(text);
			return true;
		}
		if (url !== wardle || answer.discovery !== "legacy") return false;
		const resources = [
			{ name: "boats", singularName: "boat", namespaced: false, kind: "Boat", verbs: ["get"], shortNames: ["b"] },
			{
				name: "boats/sail",
				singularName: "",
				namespaced: false,
				kind: "Sail",
				group: "x",
				version: "v1",
				verbs: ["create"],
			},
		];
		response.writeHead(200, { "content-type": "application/json" });
		response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: "wardle.example.com/v1alpha1", resources }));
		return true;
	};
	await until(async () => expect((await group())?.versions[0]?.freshness).toBe("Current"));
	expect((await group()).versions[0].resources).toEqual([
		{
			resource: "boats",
			responseKind: { group: "wardle.example.com", version: "v1alpha1", kind: "Boat" },
			scope: "Cluster",
			singularResource: "boat",
			shortNames: ["b"],
			verbs: ["get"],
			subresources: [
				{ subresource: "sail", responseKind: { group: "x", version: "v1", kind: "Sail" }, verbs: ["create"] },
			],
		},
	]);
	expect(documents["/apis"]?.[0]).toContain("as=APIGroupDiscoveryList");
});

test("the aggregated form has a tag, by which clients learn that nothing has changed", async () => {
	const api = await testApi();
	closers.push(() => api.close());
	const headers = { accept: aggregated("v2") };
	const first = await api.ask("GET", "/apis", undefined, { headers });
	expect(first.headers).toMatchObject({ "content-type": aggregated("v2").split(",")[0], vary: "Accept" });
	const { etag = "" } = first.headers;
	expect((await api.ask("GET", "/apis", undefined, { headers: { ...headers, "if-none-match": etag } })).status).toBe(
		304,
	);
	await register(api);
	const changed = await api.ask("GET", "/apis", undefined, { headers: { ...headers, "if-none-match": etag } });
	expect([changed.status, changed.headers["etag"] === etag]).toEqual([200, false]);
});

test("OpenAPI documents tell of an extension server's resources, too", async () => {
	const { api, extension } = await served();
	const index = async () => (await api.ask("GET", "/openapi/v3")).object.paths;
	await until(async () => expect(await index()).toHaveProperty(["apis/wardle.example.com/v1alpha1"]));
	const { serverRelativeURL } = (await index())["apis/wardle.example.com/v1alpha1"];
	expect(await index()).toHaveProperty(["apis/apps/v1"]);
	const document = JSON.parse((await through(api, "GET", serverRelativeURL)).text);
	expect(document.components.schemas).toHaveProperty(["com.example.wardle.v1alpha1.Flunder"]);
	const v2 = async () => (await api.ask("GET", "/openapi/v2")).object;
	const { definitions, paths, swagger } = await v2();
	expect(definitions["com.example.wardle.v1alpha1.Flunder"].properties.spec.properties).toHaveProperty("reference");
	// Of the other version there is no APIService.
	expect(definitions).not.toHaveProperty(["com.example.wardle.v1beta1.Flunder"]);
	expect(paths).toHaveProperty(["/apis/wardle.example.com/v1alpha1/fischers/{name}"]);
	expect([swagger, definitions["io.k8s.api.apps.v1.Deployment"].type]).toEqual(["2.0", "object"]);
	expect(extension.askedByItself.filter(({ requestURI }) => requestURI === "/openapi/v2")).toHaveLength(1);
	const etag = (await api.ask("GET", "/openapi/v2")).headers["etag"] ?? "";
	expect((await api.ask("GET", "/openapi/v2", undefined, { headers: { "if-none-match": etag } })).status).toBe(304);
	await api.ask("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.wardle.example.com");
	expect((await v2()).definitions).not.toHaveProperty(["com.example.wardle.v1alpha1.Flunder"]);
	expect(await index()).not.toHaveProperty(["apis/wardle.example.com/v1alpha1"]);
});

test("OpenAPI v2 of a server that publishes no other is converted into v3", async () => {
	const { api, extension, caBundle } = await served();
	extension.intercept = ({ url = "" }, response) => {
		if (!url.startsWith("/openapi/v3")) return false;
		response.writeHead(404).end();
		return true;
	};
	// Another, of which nothing is known yet.
	await register(api, { caBundle }, "v1beta1");
	const name = "apis/wardle.example.com/v1beta1";
	const index = async () => (await api.ask("GET", "/openapi/v3")).object.paths;
	await until(async () => expect(await index()).toHaveProperty([name]));
	const { object } = await api.ask("GET", (await index())[name].serverRelativeURL);
	expect(object).toMatchObject({ openapi: "3.0.0" });
	const schema = object.components.schemas["com.example.wardle.v1beta1.Flunder"];
	expect(schema["x-kubernetes-group-version-kind"]).toMatchObject([{ kind: "Flunder" }]);
	expect(JSON.stringify(object)).not.toContain("#/definitions/");
	expect(object.paths).toHaveProperty([
		"/apis/wardle.example.com/v1beta1/namespaces/{namespace}/flunders/{name}",
		"get",
	]);
	const accept = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
	const protobuf = await api.ask("GET", `/openapi/v3/${name}`, undefined, { headers: { accept } });
	expect(protobuf.text()).toContain("com.example.wardle.v1beta1.Flunder");
});
