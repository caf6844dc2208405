/** An ordinary user changes nothing of the cluster's or of other users', by no detour. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, apply, type Json, merge, type People, rbac, shop, startWithPeople, vault } from "./people.ts";

let people: People;

beforeAll(async () => {
	people = await startWithPeople();
});
afterAll(() => people?.[Symbol.asyncDispose]());

function expectForbidden({ status, message }: Answer, why: string): void {
	expect([status, message]).toEqual([403, expect.stringContaining(why)]);
}

describe("the namespace", () => {
	const off = { metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged" } } };
	test.each<[string, string, Json, Record<string, string>?]>([
		["PATCH", shop, off, merge],
		["PATCH", `${shop}/status`, off, merge],
		[
			"PUT",
			`${shop}/finalize`,
			{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", ...off.metadata }, spec: {} },
		],
		["PUT", shop, { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", ...off.metadata } }],
		[
			"PATCH",
			`${shop}?fieldManager=x&force=true`,
			{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", ...off.metadata } },
			apply,
		],
		["POST", "/api/v1/namespaces", { metadata: { name: "own" } }],
		["DELETE", shop, undefined],
		["DELETE", vault, undefined],
	])("stays as it is: %s %s", async (method, path, body, headers) => {
		expectForbidden(await people.ann(method, path, body, headers), 'resource "namespaces');
		expect([403, 404]).toContain((await people.adam(method, path, body, headers)).status);
		const { body: namespace } = await people.admin("GET", shop);
		expect(namespace.metadata.labels["pod-security.kubernetes.io/enforce"]).toBe("baseline");
	});

	test.each([
		["POST", `${shop}/resourcequotas`, { metadata: { name: "x" }, spec: {} }],
		["POST", `${shop}/limitranges`, { metadata: { name: "x" }, spec: { limits: [] } }],
		["POST", `${shop}/endpoints`, { metadata: { name: "x" }, subsets: [] }],
		[
			"POST",
			"/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
			{ metadata: { name: "x" }, addressType: "IPv4", endpoints: [{ addresses: ["127.0.0.1"] }] },
		],
	])("has bounds that are not its users': %s %s", async (method, path, body) => {
		expectForbidden(await people.ann(method, path, body), "cannot create resource");
	});
});

describe("the cluster", () => {
	test.each<[string, string, Json, Record<string, string>?]>([
		["PATCH", "/api/v1/nodes/node-1/status", { status: { conditions: [] } }, merge],
		["PATCH", "/api/v1/nodes/node-1", { spec: { unschedulable: true } }, merge],
		["DELETE", "/api/v1/nodes/node-1", undefined],
		["POST", "/api/v1/nodes", { metadata: { name: "own" } }],
		[
			"POST",
			"/api/v1/persistentvolumes",
			{
				metadata: { name: "x" },
				spec: { hostPath: { path: "/" }, capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] },
			},
		],
		["POST", "/apis/storage.k8s.io/v1/storageclasses", { metadata: { name: "x" }, provisioner: "x" }],
		["POST", "/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "x" }, value: 1_000_000 }],
		["POST", "/apis/node.k8s.io/v1/runtimeclasses", { metadata: { name: "x" }, handler: "x" }],
		["PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1", { metadata: { name: "node-1" } }],
		["POST", "/api/v1/namespaces/kube-system/configmaps", { metadata: { name: "x" } }],
		["PATCH", "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt", { data: { "ca.crt": "x" } }, merge],
		["PATCH", "/api/v1/namespaces/default/services/kubernetes", { spec: { selector: { app: "own" } } }, merge],
		[
			"POST",
			"/api/v1/namespaces/kube-system/secrets",
			{ metadata: { name: "bootstrap-token-abcdef" }, type: "bootstrap.kubernetes.io/token" },
		],
		["POST", "/api/v1/namespaces/default/events", { metadata: { name: "x" }, involvedObject: {} }],
		["PATCH", "/apis/apps/v1/namespaces/vault/deployments/x/scale", { spec: { replicas: 0 } }, merge],
		["POST", "/apis/autoscaling/v2/namespaces/vault/horizontalpodautoscalers", { metadata: { name: "x" } }],
		["POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", { metadata: { name: "x" } }],
		["POST", "/apis/apiregistration.k8s.io/v1/apiservices", { metadata: { name: "x" } }],
	])("stays as it is: %s %s", async (method, path, body, headers) => {
		const { status, message } = await people.ann(method, path, body, headers);
		expect([status, message]).toEqual([403, expect.stringContaining("cannot ")]);
	});

	test("a body that names another namespace is refused", async () => {
		const { status } = await people.ann("POST", `${shop}/configmaps`, { metadata: { name: "x", namespace: "vault" } });
		expect(status).toBe(400);
		const list = { apiVersion: "v1", kind: "Secret", metadata: { name: "safe", namespace: "vault" }, data: {} };
		expect([400, 404]).toContain((await people.ann("PUT", `${shop}/secrets/safe`, list)).status);
	});

	test("a service takes no addresses but its own", async () => {
		const spec = { ports: [{ port: 443 }], externalIPs: ["10.96.0.1"] };
		expectForbidden(await people.ann("POST", `${shop}/services`, { metadata: { name: "x" }, spec }), "external IPs");
		const taken = { ports: [{ port: 443 }], clusterIP: "10.96.0.1" };
		expect((await people.ann("POST", `${shop}/services`, { metadata: { name: "y" }, spec: taken })).status).toBe(422);
	});

	test("the proxy to a service leads nowhere but to its endpoints", async () => {
		for (const [name, externalName] of [
			["loopback", "localhost"],
			["metadata", "169.254.169.254.nip.io"],
		]) {
			const spec = { type: "ExternalName", externalName, ports: [{ port: 6443 }] };
			expect((await people.ann("POST", `${shop}/services`, { metadata: { name }, spec })).status).toBe(201);
			const answer = await people.ann("GET", `${shop}/services/https:${name}:6443/proxy/version`);
			expect([answer.status, answer.body.gitVersion]).toEqual([503, undefined]);
		}
	});

	test("the cluster's certificate is restored after a user changes it", async () => {
		const map = `${shop}/configmaps/kube-root-ca.crt`;
		const { body: before } = await people.ann("GET", map);
		expect((await people.ann("PATCH", map, { data: { "ca.crt": "mine" } }, merge)).status).toBe(200);
		await expect
			.poll(async () => (await people.ann("GET", map)).body.data["ca.crt"], { timeout: 20_000 })
			.toBe(before.data["ca.crt"]);
	});
});

describe("what belongs to others", () => {
	test("is not collected because an owner is claimed for it, nor held", async () => {
		const { body: theirs } = await people.admin("GET", `${vault}/configmaps/notes`);
		const { uid } = theirs.metadata;
		const owner = {
			apiVersion: "v1",
			kind: "ConfigMap",
			name: "notes",
			uid,
			blockOwnerDeletion: true,
			controller: true,
		};
		expectForbidden(
			await people.ann("PATCH", `${vault}/configmaps/notes`, { metadata: { ownerReferences: [owner] } }, merge),
			"cannot patch",
		);
		// A dependent in another namespace holds nothing, and an object made with a uid gets one of its own.
		const metadata = { name: "dependent", uid, ownerReferences: [owner], finalizers: ["example.com/stays"] };
		const made = await people.ann("POST", `${shop}/configmaps`, { metadata });
		expect([made.status, made.body.metadata.uid === uid]).toEqual([201, false]);
		const options = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Foreground" };
		await people.admin("DELETE", `${vault}/configmaps/notes`, options);
		await expect
			.poll(async () => (await people.admin("GET", `${vault}/configmaps/notes`)).status, { timeout: 20_000 })
			.toBe(404);
	});

	test("a volume that is another claim's is not taken", async () => {
		const spec = {
			capacity: { storage: "1Gi" },
			accessModes: ["ReadWriteOnce"],
			storageClassName: "manual",
			persistentVolumeReclaimPolicy: "Retain",
			hostPath: { path: "/srv/vault" },
			claimRef: { kind: "PersistentVolumeClaim", namespace: "vault", name: "data" },
		};
		await people.admin("POST", "/api/v1/persistentvolumes", { metadata: { name: "vault-data" }, spec });
		const claim = (name: string) => ({
			metadata: { name },
			spec: {
				volumeName: "vault-data",
				storageClassName: "manual",
				accessModes: ["ReadWriteOnce"],
				resources: { requests: { storage: "1Gi" } },
			},
		});
		expect((await people.ann("POST", `${shop}/persistentvolumeclaims`, claim("data"))).status).toBe(201);
		const theirs = `${vault}/persistentvolumeclaims`;
		expect((await people.admin("POST", theirs, claim("data"))).status).toBe(201);
		await expect
			.poll(async () => (await people.admin("GET", `${theirs}/data`)).body.status.phase, { timeout: 20_000 })
			.toBe("Bound");
		const { body } = await people.ann("GET", `${shop}/persistentvolumeclaims/data`);
		expect(body.status.phase).toBe("Pending");
		const bound = { status: { phase: "Bound", capacity: { storage: "1Gi" } } };
		expectForbidden(
			await people.ann("PATCH", `${shop}/persistentvolumeclaims/data/status`, bound, merge),
			"cannot patch",
		);
		const path = "/api/v1/persistentvolumes/vault-data";
		expectForbidden(await people.ann("PATCH", path, { spec: { hostPath: { path: "/" } } }, merge), "cannot patch");
		expectForbidden(await people.ann("GET", path), "cannot get");
	});

	test("roles and bindings are there as they were", async () => {
		const { body } = await people.admin("GET", `${rbac}/namespaces/shop/rolebindings`);
		expect(body.items.map(({ metadata }: Json) => metadata.name)).toEqual(["adam", "ann"]);
		const { body: secret } = await people.admin("GET", `${vault}/secrets/safe`);
		expect(Object.keys(secret.data)).toEqual(["text"]);
	});
});
