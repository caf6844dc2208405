import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { type TestApi, testApi } from "../testing/test-api.ts";

const pods = "/api/v1/namespaces/default/pods";
const services = "/api/v1/namespaces/default/services";
const accounts = "/api/v1/namespaces/default/serviceaccounts";

async function cluster(options: { store?: Store } = {}): Promise<TestApi> {
	const api = await testApi({ clock: new VirtualClock(), ...options });
	await api.ask("POST", accounts, { metadata: { name: "default" } });
	return api;
}

const pod = (name: string, more: object = {}) => ({
	metadata: { name, labels: { app: "web" } },
	spec: { containers: [{ name: "c", image: "i" }], ...more },
});

test("binding assigns a pod once", async () => {
	const api = await cluster();
	await api.ask("POST", pods, pod("p"));
	const bound = await api.ask("POST", `${pods}/p/binding`, {
		metadata: { name: "p" },
		target: { kind: "Node", name: "n1" },
	});
	expect(bound.object).toMatchObject({ kind: "Status", status: "Success", code: 201 });
	const { object } = await api.ask("GET", `${pods}/p`);
	expect(object.spec.nodeName).toBe("n1");
	expect(object.status.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
	const again = await api.ask("POST", `${pods}/p/binding`, { metadata: { name: "p" }, target: { name: "n2" } });
	expect(again.object).toMatchObject({ code: 409 });
	expect(again.object.message).toContain('pod p is already assigned to node "n1"');
});

test("scale reads and writes replicas in the form of autoscaling/v1", async () => {
	const api = await cluster();
	const deployments = "/apis/apps/v1/namespaces/default/deployments";
	await api.ask("POST", deployments, {
		metadata: { name: "web" },
		spec: {
			selector: { matchLabels: { app: "web" } },
			template: { metadata: { labels: { app: "web" } }, spec: pod("x").spec },
		},
	});
	const { object } = await api.ask("GET", `${deployments}/web/scale`);
	expect(object).toMatchObject({
		kind: "Scale",
		apiVersion: "autoscaling/v1",
		spec: { replicas: 1 },
		status: { replicas: 0, selector: "app=web" },
	});
	expect(
		(await api.ask("PUT", `${deployments}/web/scale`, { ...object, spec: { replicas: 3 } })).object.spec.replicas,
	).toBe(3);
	const stale = await api.ask("PUT", `${deployments}/web/scale`, { ...object, spec: { replicas: 4 } });
	expect(stale.object.reason).toBe("Conflict");
	const type = "application/merge-patch+json";
	expect((await api.ask("PATCH", `${deployments}/web/scale`, { spec: { replicas: 2 } }, { type })).status).toBe(200);
	expect((await api.ask("GET", `${deployments}/web`)).object).toMatchObject({
		spec: { replicas: 2 },
		metadata: { generation: 3 },
	});
	expect((await api.ask("PUT", `${deployments}/web/scale`, { spec: { replicas: -1 } })).status).toBe(422);
});

test("an applied scale belongs to the manager that applied it", async () => {
	const api = await cluster();
	const path = "/apis/apps/v1/namespaces/default/deployments";
	await api.ask("POST", path, {
		metadata: { name: "web" },
		spec: {
			selector: { matchLabels: { app: "web" } },
			template: { metadata: { labels: { app: "web" } }, spec: pod("x").spec },
		},
	});
	const apply = (manager: string, replicas: number, query = "", encoding = "yaml") =>
		api.ask(
			"PATCH",
			`${path}/web/scale?fieldManager=${manager}${query}`,
			{ apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas } },
			{ type: `application/apply-patch+${encoding}` },
		);
	expect((await apply("one", 1, "", "cbor")).object.reason).toBe("UnsupportedMediaType");
	expect((await apply("one", 3, "&force=true")).object.spec.replicas).toBe(3);
	const { object } = await api.ask("GET", `${path}/web`);
	expect(object.spec).toMatchObject({ replicas: 3, selector: { matchLabels: { app: "web" } } });
	expect(object.metadata.managedFields).toContainEqual(
		expect.objectContaining({
			manager: "one",
			operation: "Apply",
			subresource: "scale",
			apiVersion: "apps/v1",
			fieldsV1: { "f:spec": { "f:replicas": {} } },
		}),
	);
	expect((await apply("two", 4)).object.message).toContain('conflict with "one" with subresource "scale"');
	expect((await apply("two", 4, "&force=true")).object.spec.replicas).toBe(4);
	expect((await apply("two", -1, "&force=true")).object).toMatchObject({ code: 422, details: { kind: "Scale" } });
});

test("eviction respects the budget and says why", async () => {
	const api = await cluster();
	for (const name of ["a", "b"]) {
		await api.ask("POST", pods, pod(name));
		await api.ask("POST", `${pods}/${name}/binding`, { metadata: { name }, target: { name: "n1" } });
		await api.ask(
			"PATCH",
			`${pods}/${name}/status`,
			{ status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
			{ type: "application/merge-patch+json" },
		);
	}
	const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
	const made = await api.ask("POST", budgets, {
		metadata: { name: "web" },
		spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
	});
	const evict = (name: string) => api.ask("POST", `${pods}/${name}/eviction`, { metadata: { name } });
	expect((await evict("a")).object.details.causes[0].message).toBe(
		"The disruption budget web is still being processed by the server.",
	);
	const status = {
		observedGeneration: 1,
		disruptionsAllowed: 1,
		currentHealthy: 2,
		desiredHealthy: 1,
		expectedPods: 2,
	};
	await api.ask("PUT", `${budgets}/web/status`, { ...made.object, status });
	expect((await evict("a")).status).toBe(201);
	const refused = await evict("b");
	expect(refused.object).toMatchObject({
		code: 429,
		reason: "TooManyRequests",
		message: "Cannot evict pod as it would violate the pod's disruption budget.",
		details: {
			causes: [
				{ reason: "DisruptionBudget", message: "The disruption budget web does not allow evicting pods currently" },
			],
		},
	});
	expect((await api.ask("GET", `${budgets}/web`)).object.status).toMatchObject({
		disruptionsAllowed: 0,
		disruptedPods: { a: expect.any(String) },
	});
});

test("a pod that becomes ready while it is evicted as one that is not counts for its budget", async () => {
	const store = createMemoryStore();
	const merge = { type: "application/merge-patch+json" };
	const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
	let overtake: (() => Promise<unknown>) | undefined;
	const api = await cluster({
		store: {
			...store,
			// The node's report overtakes the first write of the eviction.
			async commit(request) {
				const before = overtake;
				overtake = undefined;
				await before?.();
				return store.commit(request);
			},
		},
	});
	await api.ask("POST", pods, pod("a"));
	const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
	const made = await api.ask("POST", budgets, {
		metadata: { name: "web" },
		spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
	});
	const status = {
		observedGeneration: 1,
		disruptionsAllowed: 0,
		currentHealthy: 0,
		desiredHealthy: 1,
		expectedPods: 1,
	};
	await api.ask("PUT", `${budgets}/web/status`, { ...made.object, status });
	overtake = () => api.ask("PATCH", `${pods}/a/status`, { status: ready }, merge);
	const refused = await api.ask("POST", `${pods}/a/eviction`, { metadata: { name: "a" } });
	expect(refused.object).toMatchObject({ code: 429, reason: "TooManyRequests" });
	const kept = (await api.ask("GET", `${pods}/a`)).object;
	expect(kept.metadata.deletionTimestamp).toBeUndefined();
	expect(kept.status.conditions).toMatchObject(ready.conditions);
});

test("a token stands for its service account until it runs out or the account is gone", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	await api.ask("POST", accounts, { metadata: { name: "robot" } });
	const { object } = await api.ask("POST", `${accounts}/robot/token`, { spec: { expirationSeconds: 600 } });
	expect(object.status.expirationTimestamp).toBe("2026-01-01T00:10:00Z");
	const authorization = `Bearer ${object.status.token}`;
	const whoami = () =>
		api.ask(
			"POST",
			"/apis/authentication.k8s.io/v1/selfsubjectreviews",
			{},
			{ user: undefined, headers: { authorization } },
		);
	expect((await whoami()).object.status.userInfo).toMatchObject({
		username: "system:serviceaccount:default:robot",
		groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
	});
	const review = await api.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
		spec: { token: object.status.token },
	});
	expect(review.object.status).toMatchObject({ authenticated: true });
	// Clocks may differ by a minute.
	await clock.advance(661_000);
	expect((await whoami()).object).toMatchObject({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
	const short = await api.ask("POST", `${accounts}/robot/token`, { spec: { expirationSeconds: 5 } });
	expect(short.object.message).toContain("may not specify a duration less than 10 minutes");
});

test("a token that is bound to an object names it and dies with it", async () => {
	const api = await cluster();
	const node = (await api.ask("POST", "/api/v1/nodes", { metadata: { name: "n1" } })).object;
	const made = (await api.ask("POST", pods, { ...pod("p", { nodeName: "n1" }) })).object;
	const secret = (await api.ask("POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "s" } })).object;
	const review = async (boundObjectRef: object) => {
		const { object } = await api.ask("POST", `${accounts}/default/token`, { spec: { boundObjectRef } });
		const spec = { token: object.status.token };
		const path = "/apis/authentication.k8s.io/v1/tokenreviews";
		return async () => (await api.ask("POST", path, { spec })).object.status;
	};
	const ofPod = await review({ apiVersion: "v1", kind: "Pod", name: "p", uid: made.metadata.uid });
	const ofSecret = await review({ apiVersion: "v1", kind: "Secret", name: "s", uid: secret.metadata.uid });
	const ofNode = await review({ apiVersion: "v1", kind: "Node", name: "n1", uid: node.metadata.uid });
	expect((await ofPod()).user.extra).toMatchObject({
		"authentication.kubernetes.io/pod-uid": [made.metadata.uid],
		"authentication.kubernetes.io/node-name": ["n1"],
		"authentication.kubernetes.io/node-uid": [node.metadata.uid],
	});
	expect([(await ofSecret()).authenticated, (await ofNode()).authenticated]).toEqual([true, true]);
	await api.ask("DELETE", "/api/v1/nodes/n1");
	expect((await ofNode()).authenticated ?? false).toBe(false);
	expect((await ofPod()).authenticated).toBe(true);
	await api.ask("DELETE", `${pods}/p?gracePeriodSeconds=0`);
	expect((await ofPod()).authenticated ?? false).toBe(false);
	await api.ask("DELETE", "/api/v1/namespaces/default/secrets/s");
	expect((await ofSecret()).authenticated ?? false).toBe(false);
});

test("anonymous requests may only read health and version", async () => {
	const api = await testApi();
	expect((await api.ask("GET", "/api/v1/pods", undefined, { user: undefined })).object.code).toBe(401);
	expect((await api.ask("GET", "/readyz", undefined, { user: undefined })).text()).toBe("ok");
	expect((await api.ask("GET", "/version", undefined, { user: undefined })).object).toMatchObject({
		major: "1",
		minor: "36",
	});
});

test("pods get the service account, its token, tolerations and priority", async () => {
	const api = await cluster();
	const { object } = await api.ask("POST", pods, pod("p"));
	const [mount] = object.spec.containers[0].volumeMounts;
	expect(mount).toMatchObject({ mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true });
	expect(mount.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
	expect(object.spec).toMatchObject({
		serviceAccountName: "default",
		priority: 0,
		preemptionPolicy: "PreemptLowerPriority",
	});
	expect(object.spec.tolerations.map(({ key }: { key: string }) => key)).toEqual([
		"node.kubernetes.io/not-ready",
		"node.kubernetes.io/unreachable",
	]);
	const without = await api.ask("POST", pods, pod("q", { automountServiceAccountToken: false }));
	expect(without.object.spec.volumes).toBeUndefined();
	const unknown = await api.ask("POST", pods, pod("r", { priorityClassName: "none" }));
	expect(unknown.object.message).toBe('pods "r" is forbidden: no PriorityClass with name none was found');
	const nobody = await api.ask("POST", pods, pod("s", { serviceAccountName: "nobody" }));
	expect(nobody.object.message).toBe(
		'pods "s" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
	);
});

test.each([
	["of the range", "10.0.0.5"],
	["outside the range", "10.1.0.5"],
	["that another service has", "10.0.0.3"],
])("a service cannot change to an address %s", async (_what, clusterIP) => {
	const api = await testApi({ serviceCidr: "10.0.0.0/29" });
	const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
	await api.ask("POST", services, service("a", { clusterIP: "10.0.0.2" }));
	await api.ask("POST", services, service("b", { clusterIP: "10.0.0.3" }));
	const change = { spec: { clusterIP } };
	const { object } = await api.ask("PATCH", `${services}/a`, change, { type: "application/merge-patch+json" });
	expect(object).toMatchObject({ code: 422, details: { causes: [{ field: "spec.clusterIPs[0]" }] } });
	expect(object.message).toContain("may not change once set");
});

test("services get addresses and ports that nobody else has, and give them back", async () => {
	const api = await testApi({ serviceCidr: "10.0.0.0/29", nodePorts: [30_000, 30_001] });
	const service = (name: string, spec: object = {}) => ({
		metadata: { name },
		spec: { ports: [{ port: 80 }], ...spec },
	});
	const made = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => api.ask("POST", services, service(`s${n}`))));
	const addresses = made.map(({ object }) => object.spec.clusterIP);
	expect(new Set(addresses).size).toBe(6);
	expect(made[0]?.object.spec).toMatchObject({
		clusterIPs: [addresses[0]],
		ipFamilies: ["IPv4"],
		ipFamilyPolicy: "SingleStack",
	});
	const full = await api.ask("POST", services, service("s7"));
	expect(full.object.message).toContain("range is full");
	const taken = await api.ask("POST", services, service("s8", { clusterIP: addresses[0] }));
	expect(taken.object.message).toContain("provided IP is already allocated");
	await api.ask("DELETE", `${services}/s1`);
	expect((await api.ask("POST", services, service("s9"))).object.spec.clusterIP).toBe(addresses[0]);
	await api.ask("DELETE", `${services}/s2`);
	const outside = await api.ask(
		"POST",
		services,
		service("n", { type: "NodePort", ports: [{ port: 80, nodePort: 30_001 }] }),
	);
	expect(outside.object.spec.ports[0].nodePort).toBe(30_001);
	const inside = await api.ask(
		"PATCH",
		`${services}/n`,
		{ spec: { type: "ClusterIP" } },
		{ type: "application/merge-patch+json" },
	);
	expect(inside.object.spec.ports[0].nodePort).toBeUndefined();
	await api.ask("DELETE", `${services}/s3`);
	const reused = await api.ask(
		"POST",
		services,
		service("m", { type: "NodePort", ports: [{ port: 80, nodePort: 30_001 }] }),
	);
	expect(reused.status).toBe(201);
	expect((await api.ask("POST", services, service("h", { clusterIP: "None" }))).object.spec.clusterIP).toBe("None");
});
