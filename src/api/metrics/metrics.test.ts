import { expect, test } from "vitest";
import { admin, type TestApi, testApi } from "../testing/test-api.ts";

/** Values by series, as Prometheus reads them. */
async function scrape(api: TestApi, path = "/metrics"): Promise<Map<string, number>> {
	const answer = await api.ask("GET", path);
	expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
	const lines = answer
		.text()
		.split("\n")
		.filter((line) => line !== "" && !line.startsWith("#"));
	return new Map(
		lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
	);
}

const configMap = (name: string) => ({ metadata: { name }, data: {} });
const maps = "/api/v1/namespaces/default/configmaps";
const labels = (verb: string, more: Partial<Record<string, string>> = {}) => {
	const all = {
		verb,
		dry_run: "",
		group: "",
		version: "v1",
		resource: "configmaps",
		subresource: "",
		scope: "resource",
	};
	return Object.entries({ ...all, component: "apiserver", ...more })
		.map(([name, value]) => `${name}="${value}"`)
		.join(",");
};

test("requests are counted by verb, resource, scope and code", async () => {
	const api = await testApi();
	await api.ask("POST", maps, configMap("one"));
	await api.ask("POST", `${maps}?dryRun=All`, configMap("two"));
	await api.ask("POST", maps, configMap("one"));
	await api.ask("GET", `${maps}/one`);
	await api.ask("GET", maps);
	await api.ask("DELETE", `${maps}/one`);
	await api.ask(
		"PATCH",
		`${maps}/three?fieldManager=me`,
		{ apiVersion: "v1", kind: "ConfigMap", ...configMap("three") },
		{ type: "application/apply-patch+yaml" },
	);
	const now = await scrape(api);
	const total = (verb: string, code: number, more = {}) =>
		now.get(`apiserver_request_total{${labels(verb, more)},code="${code}"}`);
	expect(total("POST", 201)).toBe(1);
	expect(total("POST", 409)).toBe(1);
	expect(total("POST", 201, { dry_run: "All" })).toBe(1);
	expect(total("GET", 200)).toBe(1);
	expect(total("LIST", 200, { scope: "namespace" })).toBe(1);
	expect(total("DELETE", 200)).toBe(1);
	expect(total("APPLY", 201)).toBe(1);
	expect(now.get(`apiserver_request_duration_seconds_count{${labels("POST")}}`)).toBe(2);
	expect(now.get(`apiserver_request_duration_seconds_bucket{${labels("POST")},le="60"}`)).toBe(2);
	expect(now.get(`apiserver_request_sli_duration_seconds_count{${labels("POST")}}`)).toBe(2);
	expect(now.get('apiserver_storage_objects{resource="configmaps"}')).toBe(1);
	expect(now.get('apiserver_resource_objects{group="apps",resource="deployments"}')).toBe(0);
	expect(now.get('etcd_requests_total{operation="create",group="",resource="configmaps"}')).toBe(3);
	expect(now.get('apiserver_current_inflight_requests{request_kind="readOnly"}')).toBe(1);
	expect(
		now.get(
			'apiserver_admission_step_admission_duration_seconds_count{operation="CREATE",rejected="false",type="admit"}',
		),
	).toBeGreaterThan(2);
	for (const name of ["process_start_time_seconds", "nodejs_version_info", "kubernetes_build_info"])
		expect([...now.keys()].some((key) => key.startsWith(name))).toBe(true);
	await api.close();
});

test("paths that are no resources are told apart, whichever was asked for first", async () => {
	const api = await testApi();
	for (const path of ["/readyz", "/version", "/version/", "/none", "/apis"]) await api.ask("GET", path);
	await api.ask("POST", "/version", {});
	const now = await scrape(api);
	const count = (verb: string, subresource: string) =>
		[...now]
			.filter(([name]) => name.startsWith("apiserver_request_total{") && name.includes(`verb="${verb}"`))
			.filter(([name]) => name.includes(`subresource="${subresource}"`))
			.reduce((sum, [, value]) => sum + value, 0);
	expect([count("GET", "/readyz"), count("GET", "/version"), count("GET", "/apis"), count("GET", "")]).toEqual([
		1, 2, 1, 1,
	]);
	expect(count("POST", "/version")).toBe(1);
	await api.close();
});

test("deprecated versions that were asked for are told, with the release that has them no more", async () => {
	const api = await testApi();
	const asked = () =>
		scrape(api).then((now) => [...now].filter(([name]) => name.startsWith("apiserver_requested_deprecated_apis")));
	expect(await asked()).toEqual([]);
	await api.ask("GET", "/apis/batch/v1beta1/cronjobs");
	await api.ask("GET", "/apis/batch/v1beta1/namespaces/default/cronjobs");
	const labels = 'group="batch",version="v1beta1",resource="cronjobs",subresource="",removed_release="1.25"';
	expect(await asked()).toEqual([[`apiserver_requested_deprecated_apis{${labels}}`, 1]]);
	await api.close();
});

test("watches are counted while they run, with what they send, and when they end", async () => {
	const api = await testApi();
	const ending = new AbortController();
	const watch = await api.watch(`${maps}?watch=1`, { signal: ending.signal });
	await api.ask("POST", maps, configMap("one"));
	expect(watch.events).toHaveLength(1);
	const watched = labels("WATCH", { scope: "namespace" });
	const running = `apiserver_longrunning_requests{${watched.replace('dry_run="",', "")}}`;
	const before = await scrape(api);
	expect(before.get(running)).toBe(1);
	expect(before.get('apiserver_watch_events_total{group="",version="v1",resource="configmaps"}')).toBe(1);
	expect(before.has(`apiserver_request_total{${watched},code="200"}`)).toBe(false);
	ending.abort();
	const after = await scrape(api);
	expect(after.has(running)).toBe(false);
	expect(after.get(`apiserver_request_total{${watched},code="200"}`)).toBe(1);
	await api.close();
});

test("invented values of clients create no series", async () => {
	const api = await testApi();
	const size = async () => (await scrape(api)).size;
	await api.ask("GET", "/apis/made-up/v1/things-0");
	await api.ask("GET", "/api/v1/namespaces/default/pods/a/made-up");
	await api.ask("GET", "/made-up");
	await size();
	const before = await size();
	for (let index = 1; index < 20; index++) {
		await api.ask("GET", `/apis/made-up-${index}/v1/things`);
		await api.ask("GET", `/api/v1/namespaces/default/pods/a/made-up-${index}`);
		await api.ask("GET", `/made-up-${index}`);
	}
	expect(await size()).toBe(before);
	await api.close();
});

test("metrics need a role; authentications and refusals are counted", async () => {
	const api = await testApi({ roles: "bootstrap" });
	const ann = { name: "ann", groups: ["system:authenticated"] };
	const monitor = { name: "prometheus", groups: ["system:monitoring", "system:authenticated"] };
	for (const path of ["/metrics", "/metrics/slis"]) {
		expect((await api.ask("GET", path, undefined, { user: ann })).status).toBe(403);
		expect((await api.ask("GET", path, undefined, { user: monitor })).status).toBe(200);
		expect((await api.ask("GET", path, undefined, { user: undefined })).status).toBe(401);
		expect((await api.ask("GET", path, undefined, { user: admin })).status).toBe(200);
	}
	const now = await scrape(api);
	expect(now.get('authorization_attempts_total{result="denied"}')).toBe(2);
	expect(now.get('authentication_attempts{result="failure"}')).toBe(2);
	const slis = await scrape(api, "/metrics/slis");
	expect(slis.get('kubernetes_healthcheck{name="etcd",type="livez"}')).toBe(1);
	expect([...slis.keys()].every((name) => name.startsWith("kubernetes_healthcheck"))).toBe(true);
	expect((await api.ask("GET", "/metrics/none")).status).toBe(404);
	await api.close();
});
