import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { type TestApi, testApi } from "../testing/test-api.ts";

const deployments = "/apis/apps/v1/namespaces/default/deployments";
const configMaps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
const merge = { type: "application/merge-patch+json" };

const deployment = (name: string, replicas = 1) => ({
	apiVersion: "apps/v1",
	kind: "Deployment",
	metadata: { name },
	spec: {
		replicas,
		selector: { matchLabels: { app: name } },
		template: {
			metadata: { labels: { app: name } },
			spec: { containers: [{ name: "web", image: "nginx" }] },
		},
	},
});

async function withPod(options: { bound?: boolean } = {}): Promise<TestApi> {
	const api = await testApi({ clock: new VirtualClock() });
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	await api.ask("POST", pods, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
	if (options.bound) await api.ask("POST", `${pods}/p/binding`, { metadata: { name: "p" }, target: { name: "n1" } });
	return api;
}

test("generation counts changes of the spec, not of metadata or status", async () => {
	const api = await testApi();
	const { object } = await api.ask("POST", deployments, { ...deployment("web"), status: { replicas: 7 } });
	expect(object.metadata.generation).toBe(1);
	expect(object.status).not.toMatchObject({ replicas: 7 });
	const labelled = await api.ask("PATCH", `${deployments}/web`, { metadata: { labels: { a: "b" } } }, merge);
	expect(labelled.object.metadata.generation).toBe(1);
	const scaled = await api.ask(
		"PATCH",
		`${deployments}/web`,
		{ spec: { replicas: 2 }, status: { replicas: 2 } },
		merge,
	);
	expect(scaled.object.metadata.generation).toBe(2);
	expect(scaled.object.status).not.toMatchObject({ replicas: 2 });
	const status = await api.ask("PUT", `${deployments}/web/status`, {
		...scaled.object,
		spec: { ...scaled.object.spec, replicas: 9 },
		status: { replicas: 2 },
	});
	expect(status.object).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 2 }, metadata: { generation: 2 } });
});

test("a status update keeps the rest of the object, and its errors are reported", async () => {
	const api = await withPod({ bound: true });
	const { object } = await api.ask("GET", `${pods}/p`);
	const strict = `${pods}/p/status?fieldValidation=Strict`;
	const written = await api.ask("PUT", strict, { ...object, status: { phase: "Running" } });
	expect(written).toMatchObject({ status: 200, object: { status: { phase: "Running" } } });
	expect(written.object.spec).toEqual(object.spec);
	expect(Object.keys(written.object)).toEqual(Object.keys(object));
	const wrong = await api.ask("PUT", strict, { ...written.object, spec: { ...object.spec, colour: "red" } });
	expect(wrong).toMatchObject({
		status: 400,
		object: { message: expect.stringContaining('unknown field "spec.colour"') },
	});
	const patched = await api.ask("PATCH", `${pods}/p/status`, { status: { message: "m" } }, merge);
	expect(patched.object.spec).toEqual(object.spec);
	expect(patched.object.status).toMatchObject({ phase: "Running", message: "m" });
});

test("the four types of patches", async () => {
	const api = await testApi();
	await api.ask("POST", deployments, deployment("web"));
	const strategic = await api.ask(
		"PATCH",
		`${deployments}/web`,
		{ spec: { template: { spec: { containers: [{ name: "side", image: "busybox" }] } } } },
		{ type: "application/strategic-merge-patch+json" },
	);
	const images = strategic.object.spec.template.spec.containers.map(({ image }: { image: string }) => image);
	expect(images.sort()).toEqual(["busybox", "nginx"]);
	const json = await api.ask("PATCH", `${deployments}/web`, [{ op: "replace", path: "/spec/replicas", value: 5 }], {
		type: "application/json-patch+json",
	});
	expect(json.object.spec.replicas).toBe(5);
	const failed = await api.ask("PATCH", `${deployments}/web`, [{ op: "test", path: "/spec/replicas", value: 6 }], {
		type: "application/json-patch+json",
	});
	expect(failed.object.code).toBe(422);
	const apply = await api.ask(
		"PATCH",
		`${configMaps}/made?fieldManager=me`,
		"apiVersion: v1\nkind: ConfigMap\ndata:\n  x: '1'\n",
		{ type: "application/apply-patch+yaml" },
	);
	expect(apply.status).toBe(201);
	expect(apply.object.metadata.managedFields[0]).toMatchObject({ manager: "me", operation: "Apply" });
	const unknown = await api.ask("PATCH", `${configMaps}/made`, {}, { type: "text/plain" });
	expect(unknown.object).toMatchObject({ code: 415, reason: "UnsupportedMediaType" });
});

test("patches made at the same time all take effect", async () => {
	const api = await testApi();
	await api.ask("POST", configMaps, { metadata: { name: "a" } });
	const patches = Array.from({ length: 5 }, (_, index) =>
		api.ask("PATCH", `${configMaps}/a`, { data: { [`k${index}`]: "v" } }, merge),
	);
	for (const { status } of await Promise.all(patches)) expect(status).toBe(200);
	expect(Object.keys((await api.ask("GET", `${configMaps}/a`)).object.data)).toHaveLength(5);
});

test("server-side apply says who else owns a field", async () => {
	const api = await testApi();
	const apply = (manager: string, value: string) =>
		api.ask(
			"PATCH",
			`${configMaps}/a?fieldManager=${manager}`,
			{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: value } },
			{ type: "application/apply-patch+yaml" },
		);
	await apply("one", "1");
	expect((await apply("two", "2")).object).toMatchObject({ code: 409, reason: "Conflict" });
	await api.ask("PATCH", `${configMaps}/a?fieldManager=editor`, { data: { x: "3" } }, merge);
	const refused = await apply("one", "1");
	expect(refused.object.message).toContain("editor");
});

test("dry runs answer and write nothing", async () => {
	const api = await testApi();
	expect((await api.ask("POST", `${configMaps}?dryRun=All`, { metadata: { name: "a" } })).status).toBe(201);
	expect((await api.ask("GET", `${configMaps}/a`)).status).toBe(404);
	const { object } = await api.ask("POST", configMaps, { metadata: { name: "a" } });
	const dry = await api.ask("PATCH", `${configMaps}/a?dryRun=All`, { data: { x: "1" } }, merge);
	expect(dry.object).toMatchObject({
		data: { x: "1" },
		metadata: { resourceVersion: object.metadata.resourceVersion },
	});
	await api.ask("DELETE", `${configMaps}/a?dryRun=All`);
	expect((await api.ask("GET", `${configMaps}/a`)).object.data).toBeUndefined();
	expect((await api.ask("POST", `${configMaps}?dryRun=Some`, { metadata: { name: "b" } })).status).toBe(422);
});

test("unknown fields are dropped with a warning, refused, or ignored", async () => {
	const api = await testApi();
	const body = { metadata: { name: "a" }, dta: { x: "1" } };
	const strict = await api.ask("POST", `${configMaps}?fieldValidation=Strict`, body);
	expect(strict.object.message).toBe(
		'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
	);
	const warned = await api.ask("POST", `${configMaps}?fieldValidation=Warn`, body);
	expect(warned.headers["warning"]).toBe('299 - "unknown field \\"dta\\""');
	expect(warned.object.dta).toBeUndefined();
	const ignored = await api.ask("POST", `${configMaps}?fieldValidation=Ignore`, { ...body, metadata: { name: "b" } });
	expect(ignored.headers["warning"]).toBeUndefined();
});

test("bodies that are not what the path says are refused in upstream's words", async () => {
	const api = await testApi({ namespaces: ["default", "other"] });
	const message = async (method: "POST" | "PUT", path: string, body: unknown, type?: string) =>
		(await api.ask(method, path, body, type === undefined ? {} : { type })).object.message;
	expect(await message("POST", configMaps, { metadata: { name: "a", namespace: "other" } })).toBe(
		"the namespace of the provided object does not match the namespace sent on the request",
	);
	expect(await message("POST", configMaps, "{", "application/json")).toContain(
		"couldn't get version/kind; json parse error",
	);
	expect(await message("POST", configMaps, "a: [", "application/yaml")).toContain("error converting YAML to JSON");
	expect(await message("POST", configMaps, { kind: "ConfigMap", apiVersion: "apps/v1" })).toBe(
		"the API version in the data (apps/v1) does not match the expected API version (v1)",
	);
	expect(await message("POST", configMaps, { metadata: { name: "a" }, data: { x: 1 } })).toContain(
		'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field',
	);
	await api.ask("POST", configMaps, { metadata: { name: "a" } });
	expect(await message("PUT", `${configMaps}/a`, { metadata: { name: "b" } })).toBe(
		"the name of the object (b) does not match the name on the URL (a)",
	);
	expect(await message("POST", configMaps, { metadata: { name: "A_b" } })).toContain(
		'ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain',
	);
	expect(await message("POST", "/api/v1/namespaces/none/configmaps", { metadata: { name: "a" } })).toBe(
		'namespaces "none" not found',
	);
	expect((await api.ask("GET", "/apis/none/v1/things")).object.message).toBe(
		"the server could not find the requested resource",
	);
});

test("a pod that runs is given its grace, one that does not is gone at once", async () => {
	const waiting = await withPod();
	const answered = await waiting.ask("DELETE", `${pods}/p`);
	expect(answered.object.kind).toBe("Pod");
	expect((await waiting.ask("GET", `${pods}/p`)).status).toBe(404);

	const running = await withPod({ bound: true });
	const first = await running.ask("DELETE", `${pods}/p`);
	expect(first.object.metadata).toMatchObject({
		deletionGracePeriodSeconds: 30,
		deletionTimestamp: "2026-01-01T00:00:30Z",
		generation: 2,
	});
	const again = await running.ask("DELETE", `${pods}/p`);
	expect(again.object.metadata.resourceVersion).toBe(first.object.metadata.resourceVersion);
	const shorter = await running.ask("DELETE", `${pods}/p?gracePeriodSeconds=5`);
	expect(shorter.object.metadata).toMatchObject({
		deletionGracePeriodSeconds: 5,
		deletionTimestamp: "2026-01-01T00:00:05Z",
	});
	await running.ask("DELETE", `${pods}/p?gracePeriodSeconds=0`);
	expect((await running.ask("GET", `${pods}/p`)).status).toBe(404);
});

test("jobs and replication controllers leave their pods behind unless they are told otherwise", async () => {
	const api = await testApi();
	const template = {
		metadata: { labels: { a: "b" } },
		spec: { restartPolicy: "Always", containers: [{ name: "c", image: "i" }] },
	};
	const never = { ...template, spec: { ...template.spec, restartPolicy: "Never" } };
	for (const [path, spec] of [
		["/api/v1/namespaces/default/replicationcontrollers", { selector: { a: "b" }, template }],
		["/apis/batch/v1/namespaces/default/jobs", { template: never }],
	] as const) {
		await api.ask("POST", path, { metadata: { name: "x" }, spec });
		const left = await api.ask("DELETE", `${path}/x`);
		expect(left.object.metadata.finalizers).toEqual(["orphan"]);
		expect(left.headers["warning"] ?? "").toMatch(path.endsWith("jobs") ? /child pods are preserved by default/ : /^$/);
		const told = await api.ask("DELETE", `${path}/x`, { propagationPolicy: "Background" });
		expect([told.object.status, told.headers["warning"]]).toEqual(["Success", undefined]);
	}
	await api.close();
});

test("propagation is kept as a finalizer for the garbage collector", async () => {
	const api = await testApi();
	for (const [name, propagationPolicy, finalizer] of [
		["a", "Foreground", "foregroundDeletion"],
		["b", "Orphan", "orphan"],
	] as const) {
		await api.ask("POST", deployments, deployment(name));
		const { object } = await api.ask("DELETE", `${deployments}/${name}`, { propagationPolicy });
		expect(object.metadata.finalizers).toEqual([finalizer]);
		expect(object.metadata.deletionTimestamp).toBeDefined();
	}
	const conflicting = await api.ask("DELETE", `${deployments}/a`, { preconditions: { uid: "other" } });
	expect(conflicting.object.message).toContain("the UID in the precondition (other) does not match the UID in record");
});

test("namespaces stay until they are finalized, and take nothing new in the meantime", async () => {
	const api = await testApi({ namespaces: ["default", "going"] });
	const { object } = await api.ask("DELETE", "/api/v1/namespaces/going");
	expect(object).toMatchObject({ status: { phase: "Terminating" }, spec: { finalizers: ["kubernetes"] } });
	const late = await api.ask("POST", "/api/v1/namespaces/going/configmaps", { metadata: { name: "a" } });
	expect(late.object).toMatchObject({
		reason: "Forbidden",
		details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
	});
	await api.ask("PUT", "/api/v1/namespaces/going/finalize", { ...object, spec: {} });
	expect((await api.ask("GET", "/api/v1/namespaces/going")).status).toBe(404);
	expect((await api.ask("DELETE", "/api/v1/namespaces/default")).object.message).toContain(
		"this namespace may not be deleted",
	);
});

test("old versions are converted, with a warning", async () => {
	const api = await testApi();
	const old = await api.ask("GET", "/apis/apps/v1beta1/namespaces/default/deployments");
	expect(old.object.apiVersion).toBe("apps/v1beta1");
	expect(old.headers["warning"]).toContain("apps/v1");
});

test("deletions are answered with the object or with a Status, as OpenAPI says of each kind", async () => {
	const api = await testApi();
	const { paths } = (await api.ask("GET", "/openapi/v2")).sent();
	const returned = (path: string) => paths[path].delete.responses["200"].schema.$ref.split(".").at(-1);
	const storageClasses = "/apis/storage.k8s.io/v1/storageclasses";
	await api.ask("POST", storageClasses, { metadata: { name: "a" }, provisioner: "example.com/p" });
	await api.ask("POST", configMaps, { metadata: { name: "a" } });
	for (const [path, kind] of [
		[storageClasses, "StorageClass"],
		[configMaps, "Status"],
	] as const) {
		expect(returned(`${path.replace("default", "{namespace}")}/{name}`)).toBe(kind);
		const { object } = await api.ask("DELETE", `${path}/a`);
		expect(object.kind).toBe(kind);
	}
	await api.close();
});
