import { expect, test } from "vitest";
import { type TestApi, testApi } from "../../testing/test-api.ts";

const namespace = "/api/v1/namespaces/default";

async function withQuota(hard: Record<string, string>, more: { used?: Record<string, string>; spec?: object } = {}) {
	const api = await testApi({ namespaces: ["default"] });
	await api.ask("POST", `${namespace}/serviceaccounts`, { metadata: { name: "default" } });
	const created = await api.ask("POST", `${namespace}/resourcequotas`, {
		metadata: { name: "q" },
		spec: { hard, ...more.spec },
	});
	expect(created.status).toBe(201);
	// What the controller does.
	const used = more.used ?? Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
	await api.ask("PUT", `${namespace}/resourcequotas/q/status`, { ...created.object, status: { hard, used } });
	return api;
}

async function used(api: TestApi) {
	return (await api.ask("GET", `${namespace}/resourcequotas/q`)).object.status.used;
}

function pod(name: string, resources: object = {}) {
	return { metadata: { name }, spec: { containers: [{ name: "c", image: "web", resources }] } };
}

test("pods are charged to the quota, and refused when it is used up", async () => {
	const api = await withQuota({ pods: "2" });
	expect((await api.ask("POST", `${namespace}/pods`, pod("a"))).status).toBe(201);
	expect((await api.ask("POST", `${namespace}/pods`, pod("b"))).status).toBe(201);
	expect(await used(api)).toEqual({ pods: "2" });
	const { object } = await api.ask("POST", `${namespace}/pods`, pod("x"));
	expect(object).toMatchObject({ code: 403, reason: "Forbidden" });
	expect(object.message).toBe(
		'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
	);
	await api.close();
});

test("creates at the same time take no more than there is", async () => {
	const api = await withQuota({ pods: "5", "requests.cpu": "10" });
	const resources = { requests: { cpu: "1" } };
	const answers = await Promise.all(
		Array.from({ length: 40 }, (_, index) => api.ask("POST", `${namespace}/pods`, pod(`p${index}`, resources))),
	);
	expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
	expect(answers.filter(({ status }) => status === 403)).toHaveLength(35);
	expect(await used(api)).toEqual({ pods: "5", "requests.cpu": "5" });
	await api.close();
});

test("all that is asked for in one request is told when it is too much", async () => {
	const api = await withQuota({ "limits.memory": "1Gi", "requests.cpu": "1", pods: "9" });
	const resources = { requests: { cpu: "1500m" }, limits: { cpu: "2", memory: "2Gi" } };
	const { object } = await api.ask("POST", `${namespace}/pods`, pod("x", resources));
	expect(object.message).toBe(
		'pods "x" is forbidden: exceeded quota: q, requested: limits.memory=2Gi,requests.cpu=1500m, ' +
			"used: limits.memory=0,requests.cpu=0, limited: limits.memory=1Gi,requests.cpu=1",
	);
	expect(await used(api)).toEqual({ "limits.memory": "0", "requests.cpu": "0", pods: "0" });
	await api.close();
});

test("containers must say what the quota limits", async () => {
	const api = await withQuota({ "limits.cpu": "1", "requests.memory": "1Gi" });
	const { object } = await api.ask("POST", `${namespace}/pods`, pod("x"));
	expect(object.message).toBe(
		'pods "x" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c',
	);
	await api.close();
});

test("a quota that has lost count lets nothing pass", async () => {
	const api = await withQuota({ pods: "1", services: "1" }, { used: { services: "0" } });
	const { object } = await api.ask("POST", `${namespace}/pods`, pod("x"));
	expect(object.message).toBe('pods "x" is forbidden: status unknown for quota: q, resources: pods');
	await api.close();
});

test("scopes decide which pods are charged", async () => {
	const api = await withQuota({ pods: "0" }, { spec: { scopes: ["BestEffort"] } });
	expect((await api.ask("POST", `${namespace}/pods`, pod("x"))).status).toBe(403);
	const asking = pod("y", { requests: { cpu: "1" } });
	expect((await api.ask("POST", `${namespace}/pods`, asking)).status).toBe(201);
	await api.close();
});

test("objects of any kind may be counted, and a dry run is not", async () => {
	const api = await withQuota({ "count/deployments.apps": "1", configmaps: "1" });
	const deployment = {
		metadata: { name: "web" },
		spec: {
			selector: { matchLabels: { app: "web" } },
			template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web" }] } },
		},
	};
	const path = "/apis/apps/v1/namespaces/default/deployments";
	expect((await api.ask("POST", `${path}?dryRun=All`, deployment)).status).toBe(201);
	expect((await api.ask("POST", path, deployment)).status).toBe(201);
	const second = await api.ask("POST", path, { ...deployment, metadata: { name: "more" } });
	expect(second.object.message).toBe(
		'deployments.apps "more" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, ' +
			"used: count/deployments.apps=1, limited: count/deployments.apps=1",
	);
	expect((await api.ask("POST", `${namespace}/configmaps`, { metadata: { name: "a" } })).status).toBe(201);
	expect((await api.ask("POST", `${namespace}/configmaps`, { metadata: { name: "b" } })).status).toBe(403);
	await api.close();
});

test("a service that takes node ports later is charged then", async () => {
	const api = await withQuota({ "services.nodeports": "1", services: "2" });
	const service = { metadata: { name: "web" }, spec: { ports: [{ name: "a", port: 80 }], selector: { app: "web" } } };
	const { object } = await api.ask("POST", `${namespace}/services`, service);
	expect(await used(api)).toEqual({ "services.nodeports": "0", services: "1" });
	const opened = { ...object, spec: { ...object.spec, type: "NodePort" } };
	const changed = await api.ask("PUT", `${namespace}/services/web`, opened);
	expect(changed.status).toBe(200);
	expect(await used(api)).toEqual({ "services.nodeports": "1", services: "1" });
	const ports = [...changed.object.spec.ports, { name: "b", port: 81 }];
	const wider = await api.ask("PUT", `${namespace}/services/web`, {
		...changed.object,
		spec: { ...changed.object.spec, ports },
	});
	expect(wider.object.message).toContain("exceeded quota: q, requested: services.nodeports=1");
	await api.close();
});

test("pods of a namespace without quotas do not wait for each other", async () => {
	const api = await testApi({ namespaces: ["default"] });
	await api.ask("POST", `${namespace}/serviceaccounts`, { metadata: { name: "default" } });
	expect((await api.ask("POST", `${namespace}/pods`, pod("a"))).status).toBe(201);
	await api.close();
});

test("a refusal names the pod as it would have been called", async () => {
	const api = await withQuota({ pods: "0" });
	const { object } = await api.ask("POST", `${namespace}/pods`, {
		...pod(""),
		metadata: { generateName: "web-" },
	});
	expect(object.message).toMatch(/^pods "web-[a-z0-9]{5}" is forbidden: exceeded quota/);
	await api.close();
});
