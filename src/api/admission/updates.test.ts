/** What admission does to objects that are there: it keeps and completes what a client leaves out. */
import { expect, test } from "vitest";
import { type Json, type TestApi, testApi } from "../testing/test-api.ts";

const namespace = "/api/v1/namespaces/default";
const merge = { headers: { "content-type": "application/merge-patch+json" } };

async function withPod(): Promise<TestApi> {
	const api = await testApi();
	await api.ask("POST", `${namespace}/serviceaccounts`, { metadata: { name: "default" } });
	const spec = { containers: [{ name: "c", image: "web" }], nodeName: "node-1" };
	expect((await api.ask("POST", `${namespace}/pods`, { metadata: { name: "x" }, spec })).status).toBe(201);
	return api;
}

const keys = ({ spec }: Json) => spec.tolerations.map(({ key }: Json) => key);

test("tolerations that a patch replaces get the default ones again, on a running pod, too", async () => {
	const api = await withPod();
	const value = [{ key: "dedicated", operator: "Exists" }];
	const patch = [{ op: "replace", path: "/spec/tolerations", value }];
	const headers = { "content-type": "application/json-patch+json" };
	const { status, object } = await api.ask("PATCH", `${namespace}/pods/x`, patch, { headers });
	expect(status).toBe(200);
	expect(keys(object)).toEqual(["dedicated", "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
	await api.close();
});

test("a pod that is put without its priority keeps it, and cannot be given another", async () => {
	const api = await withPod();
	const { object } = await api.ask("GET", `${namespace}/pods/x`);
	const { priority: _, preemptionPolicy: _policy, ...spec } = object.spec;
	const answer = await api.ask("PUT", `${namespace}/pods/x`, { ...object, spec });
	expect([answer.status, answer.object.spec.priority, answer.object.spec.preemptionPolicy]).toEqual([
		200,
		0,
		"PreemptLowerPriority",
	]);
	const other = await api.ask("PUT", `${namespace}/pods/x`, { ...object, spec: { ...spec, priority: 7 } });
	expect(other.status).toBe(422);
	await api.close();
});

test("the cluster's own priority classes are not deleted", async () => {
	const api = await testApi();
	const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
	for (const [name, value] of [
		["system-node-critical", 2_000_001_000],
		["own", 7],
	])
		expect((await api.ask("POST", classes, { metadata: { name }, value })).status).toBe(201);
	const { status, object } = await api.ask("DELETE", `${classes}/system-node-critical`);
	expect([status, object.message]).toEqual([
		403,
		'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
	]);
	expect((await api.ask("DELETE", `${classes}/own`)).status).toBe(200);
	await api.close();
});

test("one priority class is the default", async () => {
	const api = await testApi();
	const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
	const make = (name: string, globalDefault: boolean) =>
		api.ask("POST", classes, { metadata: { name }, value: 7, globalDefault });
	expect((await make("first", true)).status).toBe(201);
	expect((await make("second", true)).object.message).toBe(
		'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass first is already marked as default. Only one default can exist',
	);
	expect((await make("second", false)).status).toBe(201);
	const update = (name: string) => api.ask("PATCH", `${classes}/${name}`, { globalDefault: true }, merge);
	expect([(await update("first")).status, (await update("second")).status]).toEqual([200, 403]);
	await api.close();
});

test("finalizers say whose they are, when an object is made and when it is changed", async () => {
	const api = await testApi();
	const maps = `${namespace}/configmaps`;
	const why =
		'ConfigMap "x" is invalid: metadata.finalizers[1]: Invalid value: "nodomain": name is neither a standard finalizer name nor is it fully qualified';
	const withFinalizers = (...finalizers: string[]) => ({ metadata: { name: "x", finalizers } });
	expect((await api.ask("POST", maps, withFinalizers("a.b/c", "nodomain"))).object.message).toBe(why);
	expect((await api.ask("POST", maps, withFinalizers("a.b/c", "orphan"))).status).toBe(201);
	const change = await api.ask("PATCH", `${maps}/x`, withFinalizers("a.b/c", "nodomain"), merge);
	expect([change.status, change.object.message]).toEqual([422, why]);
	await api.close();
});

test("an ingress without a class gets the default one", async () => {
	const api = await testApi();
	const classes = "/apis/networking.k8s.io/v1/ingressclasses";
	const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
	await api.ask("POST", classes, { metadata: { name: "a" }, spec: { controller: "example.com/a" } });
	await api.ask("POST", classes, { metadata: { name: "b", annotations }, spec: { controller: "example.com/b" } });
	const create = async (metadata: object, spec: object = {}) => {
		const defaultBackend = { service: { name: "web", port: { number: 80 } } };
		const path = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
		return (await api.ask("POST", path, { metadata, spec: { defaultBackend, ...spec } })).object.spec.ingressClassName;
	};
	expect(await create({ name: "plain" })).toBe("b");
	expect(await create({ name: "own" }, { ingressClassName: "a" })).toBe("a");
	expect(await create({ name: "old", annotations: { "kubernetes.io/ingress.class": "c" } })).toBeUndefined();
	await api.close();
});

test("a claim grows where its class allows it", async () => {
	const api = await testApi();
	for (const [name, allowVolumeExpansion] of [
		["growing", true],
		["fixed", false],
	])
		await api.ask("POST", "/apis/storage.k8s.io/v1/storageclasses", {
			metadata: { name },
			provisioner: "example.com/disk",
			allowVolumeExpansion,
		});
	const claims = `${namespace}/persistentvolumeclaims`;
	const resources = (storage: string) => ({ resources: { requests: { storage } } });
	for (const name of ["growing", "fixed"]) {
		const spec = { storageClassName: name, accessModes: ["ReadWriteOnce"], ...resources("1Gi") };
		await api.ask("POST", claims, { metadata: { name }, spec });
		const bound = { spec: { volumeName: "v" } };
		expect((await api.ask("PATCH", `${claims}/${name}`, bound, merge)).status).toBe(200);
		const status = { status: { phase: "Bound", capacity: { storage: "1Gi" } } };
		expect((await api.ask("PATCH", `${claims}/${name}/status`, status, merge)).status).toBe(200);
	}
	expect((await api.ask("PATCH", `${claims}/growing`, { spec: resources("2Gi") }, merge)).status).toBe(200);
	const refusal = await api.ask("PATCH", `${claims}/fixed`, { spec: resources("2Gi") }, merge);
	expect([refusal.status, refusal.object.message]).toEqual([
		403,
		'persistentvolumeclaims "fixed" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
	]);
	await api.close();
});
