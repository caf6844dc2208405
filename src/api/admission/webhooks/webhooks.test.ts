import { createServer } from "node:https";
import { afterEach, expect, test } from "vitest";
import type { AdmissionRequest, InProcessWebhook } from "../../server/admission-review.ts";
import { closeAll, closers, listening, sharedCertificates } from "../../testing/clients.ts";
import { type Json, type TestApi, type TestOptions, testApi } from "../../testing/test-api.ts";

afterEach(closeAll);

const configMaps = "/api/v1/namespaces/default/configmaps";
const configuration = (type: string) => `/apis/admissionregistration.k8s.io/v1/${type}webhookconfigurations`;
const everything = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] };
const onConfigMaps = { operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };

type Reply = (request: AdmissionRequest) => Json;

/** A server of webhooks: each path has its reply, which is the response of a review, or whatever else. */
async function hooks(replies: Record<string, Reply>) {
	const certificates = await sharedCertificates();
	const asked: { path: string; request: AdmissionRequest }[] = [];
	const server = createServer(certificates.server, async (incoming, outgoing) => {
		let text = "";
		for await (const part of incoming) text += part;
		const review = JSON.parse(text);
		const path = (incoming.url ?? "").split("?")[0] ?? "";
		asked.push({ path, request: review.request });
		const reply = await replies[path]?.(review.request);
		if (reply === undefined) return;
		if (reply.bytes !== undefined) {
			incoming.socket.write(reply.bytes);
			return;
		}
		const { apiVersion, kind } = review;
		const { uid } = review.request;
		outgoing.end(JSON.stringify(reply.raw ?? { apiVersion, kind, response: { uid, ...reply } }));
	});
	const port = await listening(server);
	const webhook = (path: string, more: object = {}) => ({
		name: `${path.slice(1)}.example.com`,
		clientConfig: {
			url: `https://localhost:${port}${path}`,
			caBundle: Buffer.from(certificates.ca).toString("base64"),
		},
		rules: [onConfigMaps],
		sideEffects: "None",
		admissionReviewVersions: ["v1"],
		...more,
	});
	return { asked, webhook };
}

async function api(options: TestOptions = {}): Promise<TestApi> {
	const made = await testApi(options);
	closers.push(() => made.close());
	return made;
}

async function configure(to: TestApi, type: "mutating" | "validating", webhooks: object[], name = "test") {
	const answer = await to.ask("POST", configuration(type), { metadata: { name }, webhooks });
	expect([answer.status, answer.object.message]).toEqual([201, undefined]);
}

function patch(...operations: object[]): object {
	const bytes = Buffer.from(JSON.stringify(operations)).toString("base64");
	return { allowed: true, patchType: "JSONPatch", patch: bytes };
}

const add = (path: string, value: unknown) => ({ op: "add", path, value });

test("a mutating webhook changes what is stored, in the order of configurations' names", async () => {
	const { asked, webhook } = await hooks({
		"/a": () => patch(add("/data/a", "1")),
		"/b": ({ object }) => patch(add("/data/b", (object as Json).data.a)),
	});
	const server = await api();
	await configure(server, "mutating", [webhook("/b")], "z");
	await configure(server, "mutating", [webhook("/a")], "c");
	const answer = await server.ask("POST", configMaps, { metadata: { name: "x" }, data: { own: "0" } });
	expect(answer.object.data).toEqual({ own: "0", a: "1", b: "1" });
	expect(asked.map(({ path }) => path)).toEqual(["/a", "/b"]);
	expect(asked[0]?.request).toMatchObject({
		kind: { group: "", version: "v1", kind: "ConfigMap" },
		resource: { group: "", version: "v1", resource: "configmaps" },
		name: "x",
		namespace: "default",
		operation: "CREATE",
		userInfo: { username: "admin" },
		oldObject: null,
		dryRun: false,
		options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
	});
	const old = answer.object;
	await server.ask("PUT", `${configMaps}/x`, { ...old, data: { own: "0" } });
	expect(asked.at(-1)?.request).toMatchObject({ operation: "UPDATE", oldObject: { data: { own: "0" } } });
	await server.ask("DELETE", `${configMaps}/x`);
	expect(asked.at(-1)?.request).toMatchObject({ operation: "DELETE", object: null, oldObject: { kind: "ConfigMap" } });
});

test("the server's own part of the metadata is not a webhook's to change", async () => {
	const { webhook } = await hooks({
		"/a": () =>
			patch(
				add("/metadata/uid", "mine"),
				add("/metadata/creationTimestamp", "2001-01-01T00:00:00Z"),
				add("/metadata/labels", { by: "hook" }),
				add("/unknown", 1),
			),
	});
	const server = await api();
	await configure(server, "mutating", [webhook("/a")]);
	const { metadata, unknown } = (await server.ask("POST", configMaps, { metadata: { name: "x" } })).object;
	expect([metadata.labels, metadata.uid === "mine", unknown]).toEqual([{ by: "hook" }, false, undefined]);
	expect(metadata.creationTimestamp).not.toBe("2001-01-01T00:00:00Z");
});

test("a webhook that asks for it is asked again when a later one has changed the object", async () => {
	const { asked, webhook } = await hooks({
		"/first": ({ object }) => patch(add("/metadata/annotations", { seen: String((object as Json).data.late) })),
		"/second": () => patch(add("/data/late", "1")),
		"/third": () => ({ allowed: true }),
	});
	const server = await api();
	const again = { reinvocationPolicy: "IfNeeded" };
	await configure(server, "mutating", [webhook("/first", again), webhook("/second"), webhook("/third", again)]);
	const { object } = await server.ask("POST", configMaps, { metadata: { name: "x" }, data: { own: "0" } });
	expect(object.metadata.annotations).toEqual({ seen: "1" });
	// The third is asked again because of the first.
	expect(asked.map(({ path }) => path)).toEqual(["/first", "/second", "/third", "/first", "/third"]);
});

test("a validating webhook refuses with its own code and words, and is asked after all changes", async () => {
	const { webhook } = await hooks({
		"/change": () => patch(add("/data/x", "changed")),
		"/no": ({ object }) => ({
			allowed: false,
			status: { code: 418, message: (object as Json).data.x, reason: "Teapot" },
			warnings: ["look out"],
		}),
		"/plain": () => ({ allowed: false }),
	});
	const server = await api();
	await configure(server, "mutating", [webhook("/change")]);
	await configure(server, "validating", [webhook("/no")]);
	const refused = await server.ask("POST", configMaps, { metadata: { name: "x" }, data: { own: "0" } });
	expect(refused.object).toMatchObject({
		code: 418,
		reason: "Teapot",
		message: 'admission webhook "no.example.com" denied the request: changed',
	});
	expect([refused.status, refused.headers["warning"]]).toEqual([418, '299 - "look out"']);
	await server.ask("DELETE", `${configuration("validating")}/test`);
	await configure(server, "validating", [webhook("/plain")]);
	expect((await server.ask("POST", configMaps, { metadata: { name: "x" }, data: { own: "0" } })).object).toMatchObject({
		code: 400,
		message: 'admission webhook "plain.example.com" denied the request without explanation',
	});
});

test("a webhook that fails, hangs or answers nonsense refuses, or is ignored where its policy says so", async () => {
	const { webhook } = await hooks({
		"/hang": () => undefined,
		"/text": () => ({ raw: "no review" }),
		"/other": () => ({ uid: "another", allowed: true }),
		"/patch": () => ({ allowed: true, patchType: "JSONPatch", patch: "bm8=" }),
		"/type": () => ({ allowed: true, patch: "W10=" }),
		"/misfit": () => patch({ op: "remove", path: "/data/none" }),
		"/broken": () => patch(add("/data", 7)),
	});
	const server = await api();
	const messages: Record<string, string> = {
		"/hang": "failed to call webhook: Post .*timeout=1s.*: context deadline exceeded",
		"/text": "received invalid webhook response: webhook response was absent",
		"/other": 'received invalid webhook response: expected response.uid=".*", got "another"',
		"/patch": "received undecodable patch in webhook response",
		"/type": "webhook returned response.patch but not response.patchType",
		"/misfit": "^Internal error occurred: remove operation does not apply: ",
		"/broken": "^Internal error occurred: ",
	};
	for (const [path, message] of Object.entries(messages)) {
		await configure(server, "mutating", [webhook(path, { timeoutSeconds: 1 })]);
		const { status, object } = await server.ask("POST", configMaps, { metadata: { name: "x" }, data: { own: "0" } });
		expect([path, status]).toEqual([path, 500]);
		expect(object.message).toMatch(
			new RegExp(
				message.startsWith("^")
					? message
					: `^Internal error occurred: failed calling webhook "${path.slice(1)}.example.com": .*${message}$`,
			),
		);
		await server.ask("DELETE", `${configuration("mutating")}/test`);
	}
	await configure(server, "mutating", [webhook("/text", { failurePolicy: "Ignore" })]);
	expect((await server.ask("POST", configMaps, { metadata: { name: "x" } })).status).toBe(201);
});

test("an answer that is no webhook's, whatever it is, is a failure of the webhook", async () => {
	const denied = (status: Json) => () => ({ allowed: false, status });
	const nested = (depth: number) => Buffer.from(`${"[".repeat(depth)}${"]".repeat(depth)}`).toString("base64");
	const replies: Record<string, [Reply, string]> = {
		"/switch": [
			() => ({ bytes: "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" }),
			"the server responded with the status code 101 but did not return more information",
		],
		"/code": [denied({ code: "abc" }), "response.status.code into a value of type int32"],
		"/part": [denied({ code: 450.5 }), "response.status.code into a value of type int32"],
		"/reason": [denied({ reason: {} }), "response.status.reason into a value of type string"],
		"/message": [denied({ message: { toString: 1 } }), "response.status.message into a value of type string"],
		"/retry": [
			denied({ details: { retryAfterSeconds: "1" } }),
			"response.status.details.retryAfterSeconds into a value of type int32",
		],
		"/cause": [
			denied({ details: { causes: [{ message: 1 }] } }),
			"response.status.details.causes.message into a value of type string",
		],
		"/warnings": [
			() => ({ allowed: true, warnings: Array.from({ length: 200_000 }, String) }),
			"Request entity too large: limit is 100000 values",
		],
		"/deep": [() => ({ allowed: true, patchType: "JSONPatch", patch: nested(100_000) }), "exceeded max depth"],
	};
	const { webhook } = await hooks(Object.fromEntries(Object.entries(replies).map(([path, [reply]]) => [path, reply])));
	const server = await api();
	for (const [path, [, message]] of Object.entries(replies)) {
		await configure(server, "mutating", [webhook(path)]);
		const { status, object } = await server.ask("POST", configMaps, { metadata: { name: "x" } });
		expect([path, status, object.message]).toEqual([path, 500, expect.stringContaining(message)]);
		await server.ask("DELETE", `${configuration("mutating")}/test`);
	}
});

test("the code of a function that is no code of a refusal becomes 400", async () => {
	const codes = [200, 450.5, Number.NaN, 418];
	const handle = () => ({ allowed: false, status: { code: codes.shift() ?? 0 } });
	const server = await api({ webhooks: [{ name: "no", type: "validating", rules: [onConfigMaps], handle }] });
	const statuses: number[] = [];
	while (codes.length > 0) statuses.push((await server.ask("POST", configMaps, { metadata: { name: "x" } })).status);
	expect(statuses).toEqual([400, 400, 400, 418]);
});

test("webhooks are asked about what their rules and selectors choose, and never about themselves", async () => {
	const { asked, webhook } = await hooks({ "/a": () => ({ allowed: true }), "/no": () => ({ allowed: false }) });
	const server = await api({ namespaces: ["default", "other"] });
	await configure(server, "validating", [
		webhook("/a", {
			rules: [{ ...onConfigMaps, operations: ["CREATE"], scope: "Namespaced" }],
			namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "other" } },
			objectSelector: { matchExpressions: [{ key: "skip", operator: "DoesNotExist" }] },
		}),
	]);
	const other = configMaps.replace("default", "other");
	await server.ask("POST", configMaps, { metadata: { name: "x" } });
	await server.ask("POST", other, { metadata: { name: "skipped", labels: { skip: "1" } } });
	await server.ask("POST", other.replace("configmaps", "secrets"), { metadata: { name: "x" } });
	expect(asked).toEqual([]);
	await server.ask("POST", other, { metadata: { name: "x" } });
	await server.ask("DELETE", `${other}/x`);
	expect(asked.map(({ request }) => request.namespace)).toEqual(["other"]);
	// Whoever refuses everything can be taken away.
	await configure(server, "validating", [webhook("/no", { rules: [everything] })], "all");
	expect((await server.ask("POST", "/api/v1/namespaces", { metadata: { name: "n" } })).status).toBe(400);
	expect((await server.ask("DELETE", `${configuration("validating")}/all`)).status).toBe(200);
	expect((await server.ask("POST", "/api/v1/namespaces", { metadata: { name: "n" } })).status).toBe(201);
});

test("conditions narrow what a webhook is asked about; one that fails refuses, or leaves the webhook out", async () => {
	const { asked, webhook } = await hooks({ "/a": () => ({ allowed: true }) });
	const server = await api();
	const named = (expression: string) => ({ matchConditions: [{ name: "c", expression }] });
	await configure(server, "mutating", [webhook("/a", named("object.metadata.name == 'x'"))]);
	await server.ask("POST", configMaps, { metadata: { name: "y" } });
	expect(asked).toEqual([]);
	await server.ask("POST", configMaps, { metadata: { name: "x" } });
	expect(asked).toHaveLength(1);
	const failing = named("object.data.none == 'x'");
	await configure(server, "validating", [webhook("/a", { ...failing, failurePolicy: "Ignore" })], "lax");
	expect((await server.ask("POST", configMaps, { metadata: { name: "z" }, data: { a: "1" } })).status).toBe(201);
	await configure(server, "validating", [webhook("/a", failing)], "strict");
	expect((await server.ask("POST", configMaps, { metadata: { name: "w" }, data: { a: "1" } })).object).toMatchObject({
		code: 403,
		message: "configmaps \"w\" is forbidden: expression 'object.data.none == 'x'' resulted in error: no such key: none",
	});
	expect(asked).toHaveLength(1);
});

test("a rule for one version of a resource is about all of them, unless it says exactly", async () => {
	const { asked, webhook } = await hooks({
		"/v2": () => patch(add("/metadata/labels", { by: "v2" })),
		"/exact": () => ({ allowed: true }),
	});
	const rule = { operations: ["CREATE"], apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"] };
	const server = await api();
	await configure(server, "mutating", [
		webhook("/v2", { rules: [{ ...rule, apiVersions: ["v2"] }] }),
		webhook("/exact", { rules: [{ ...rule, apiVersions: ["v2"] }], matchPolicy: "Exact" }),
	]);
	const scaler = {
		metadata: { name: "x" },
		spec: {
			maxReplicas: 3,
			targetCPUUtilizationPercentage: 50,
			scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
		},
	};
	const path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
	const { object } = await server.ask("POST", path, scaler);
	expect([object.apiVersion, object.metadata.labels]).toEqual(["autoscaling/v1", { by: "v2" }]);
	expect(asked.map(({ path: hook }) => hook)).toEqual(["/v2"]);
	expect(asked[0]?.request).toMatchObject({
		kind: { version: "v2" },
		requestKind: { version: "v1" },
		object: { apiVersion: "autoscaling/v2", spec: { metrics: [{ type: "Resource" }] } },
	});
});

test("subresources come as what they are: scales, evictions, tokens, connections", async () => {
	const { asked, webhook } = await hooks({ "/no": () => ({ allowed: false, status: { message: "not now" } }) });
	const server = await api();
	const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
	await server.ask("POST", "/apis/apps/v1/namespaces/default/deployments", {
		metadata: { name: "d" },
		spec: { selector: { matchLabels: { a: "b" } }, template },
	});
	await server.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	await server.ask("POST", "/api/v1/namespaces/default/pods", { metadata: { name: "p" }, spec: template.spec });
	const resources = ["deployments/scale", "pods/eviction", "pods/exec", "pods/binding", "serviceaccounts/token"];
	const rules = [{ ...everything, resources }];
	await configure(server, "validating", [webhook("/no", { rules })]);
	const scale = { metadata: { name: "d" }, spec: { replicas: 3 } };
	const refusals = [
		await server.ask("PUT", "/apis/apps/v1/namespaces/default/deployments/d/scale", scale),
		await server.ask("POST", "/api/v1/namespaces/default/pods/p/eviction", { metadata: { name: "p" } }),
		await server.ask("POST", "/api/v1/namespaces/default/pods/p/binding", { target: { name: "n" } }),
		await server.ask("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {
			spec: { audiences: ["a"] },
		}),
		await server.ask("POST", "/api/v1/namespaces/default/pods/p/exec?command=a&command=b&stdout=true"),
	];
	expect(refusals.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
	expect(asked.map(({ request }) => [request.operation, request.kind.kind, request.subResource])).toEqual([
		["UPDATE", "Scale", "scale"],
		["CREATE", "Eviction", "eviction"],
		["CREATE", "Binding", "binding"],
		["CREATE", "TokenRequest", "token"],
	]);
	expect(asked[0]?.request).toMatchObject({ object: { spec: { replicas: 3 } }, oldObject: { spec: { replicas: 1 } } });
});

test("a dry run reaches only webhooks without side effects, and says that it is one", async () => {
	const { asked, webhook } = await hooks({ "/a": () => ({ allowed: true }) });
	const server = await api();
	await configure(server, "validating", [webhook("/a", { sideEffects: "NoneOnDryRun" })]);
	await server.ask("POST", `${configMaps}?dryRun=All`, { metadata: { name: "x" } });
	expect(asked.map(({ request }) => [request.dryRun, request.options])).toEqual([
		[true, { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", dryRun: ["All"] }],
	]);
});

test("a function is a webhook, too", async () => {
	const seen: string[] = [];
	const webhooks: InProcessWebhook[] = [
		{
			name: "labels",
			type: "mutating",
			rules: [onConfigMaps],
			handle: ({ object }) => ({
				patch: [add("/metadata/labels", { data: String(Object.keys((object as Json).data)) })],
			}),
		},
		{
			name: "check",
			type: "validating",
			rules: [onConfigMaps],
			async handle({ object }) {
				seen.push((object as Json).metadata.labels?.data);
				return (object as Json).data.bad === undefined ? undefined : { allowed: false, status: { message: "bad" } };
			},
		},
		{
			name: "throws",
			type: "validating",
			failurePolicy: "Ignore",
			rules: [onConfigMaps],
			handle() {
				throw new Error("oops");
			},
		},
	];
	const server = await api({ webhooks });
	expect((await server.ask("POST", configMaps, { metadata: { name: "x" }, data: { a: "1" } })).status).toBe(201);
	expect((await server.ask("POST", configMaps, { metadata: { name: "y" }, data: { bad: "1" } })).object.message).toBe(
		'admission webhook "check" denied the request: bad',
	);
	expect(seen).toEqual(["a", "bad"]);
});
