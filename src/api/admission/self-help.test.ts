/** What the API refuses of annotations by which workloads help themselves. */
import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";

const merge = { headers: { "content-type": "application/merge-patch+json" } };
const sets = "/apis/apps/v1/namespaces/default/statefulsets";

const claim = (storage: string, more: object = {}) => ({
	metadata: { name: "data" },
	spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } }, ...more },
});

const set = (annotations: object, ...volumeClaimTemplates: object[]) => ({
	metadata: { name: "web", annotations },
	spec: {
		serviceName: "web",
		selector: { matchLabels: { app: "web" } },
		template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "nginx" }] } },
		volumeClaimTemplates,
	},
});

test("claim templates of a StatefulSet may grow where it is asked for, and nothing else of them changes", async () => {
	const api = await testApi();
	const put = async (annotations: object, ...templates: object[]) => {
		const { status, object } = await api.ask("PUT", `${sets}/web`, set(annotations, ...templates));
		return status === 200 ? status : object.message;
	};
	const growing = { "coxswain.io/grow-claims": "true" };
	expect((await api.ask("POST", sets, set({}, claim("1Gi")))).status).toBe(201);
	const upstream = expect.stringContaining("updates to statefulset spec for fields other than");
	expect(await put({}, claim("2Gi"))).toEqual(upstream);
	expect(await put(growing, claim("2Gi"))).toBe(200);
	expect(await put(growing, claim("2048Mi"))).toBe(200);
	expect(await put(growing, claim("1Gi"))).toBe(
		'StatefulSet.apps "web" is invalid: spec.volumeClaimTemplates[0].spec.resources.requests.storage: Forbidden: field can not be less than before (2Gi): claims can only grow',
	);
	expect(await put(growing, claim("2Gi", { accessModes: ["ReadOnlyMany"] }))).toEqual(upstream);
	expect(await put(growing, claim("2Gi"), { ...claim("1Gi"), metadata: { name: "more" } })).toEqual(upstream);
	await api.close();
});

test("claim templates do not grow where their storage class forbids it", async () => {
	const api = await testApi();
	const fixed = { metadata: { name: "fixed" }, provisioner: "example.com/disk" };
	await api.ask("POST", "/apis/storage.k8s.io/v1/storageclasses", fixed);
	const annotations = { "coxswain.io/grow-claims": "true" };
	const of = (storage: string) => set(annotations, claim(storage, { storageClassName: "fixed" }));
	expect((await api.ask("POST", sets, of("1Gi"))).status).toBe(201);
	const { status, object } = await api.ask("PUT", `${sets}/web`, of("2Gi"));
	expect([status, object.message]).toEqual([
		422,
		'StatefulSet.apps "web" is invalid: spec.volumeClaimTemplates[0].spec.resources.requests.storage: Forbidden: storage class fixed does not allow volume expansion',
	]);
	await api.close();
});

test("an invalid value is refused when it is set, and does not prevent other changes", async () => {
	const api = await testApi();
	const { status, object } = await api.ask("POST", sets, set({ "coxswain.io/recover-rollout": "yes" }));
	expect([status, object.message]).toEqual([
		422,
		'StatefulSet.apps "web" is invalid: metadata.annotations[coxswain.io/recover-rollout]: Unsupported value: "yes": supported values: "true", "false"',
	]);
	expect(
		(await api.ask("POST", sets, set({ "coxswain.io/recover-rollout": "true", "other.io/x": "yes" }))).status,
	).toBe(201);
	const told = await api.ask(
		"POST",
		sets,
		set({ "notify.coxswain.io/webhook": "a/b", "notify.coxswain.io/events": "Fail" }),
	);
	expect(told.object.message).toMatch(/notify.coxswain.io\/webhook.*Invalid value: "a\/b".*Unsupported value: "Fail"/s);
	const change = { metadata: { annotations: { "coxswain.io/recover-rollout": "1" } } };
	expect((await api.ask("PATCH", `${sets}/web`, change, merge)).status).toBe(422);
	await api.close();
});

test("workloads that would wait for each other are refused, with the way round", async () => {
	const api = await testApi();
	const deployments = "/apis/apps/v1/namespaces/default/deployments";
	const of = (name: string, annotations: object, more: object = {}) => ({
		metadata: { name, annotations },
		spec: {
			selector: { matchLabels: { app: "web" } },
			template: {
				metadata: { labels: { app: "web" }, ...more },
				spec: { containers: [{ name: "main", image: "nginx" }] },
			},
		},
	});
	const post = async (name: string, after: string) => {
		const { status, object } = await api.ask("POST", deployments, of(name, { "coxswain.io/after": after }));
		return status === 201 ? status : object.message;
	};
	const refusal = (name: string, why: string) =>
		`Deployment.apps "${name}" is invalid: metadata.annotations[coxswain.io/after]: ${why}`;
	expect(await post("a", "deployment/b,job/none")).toBe(201);
	expect(await post("b", "deploy/c")).toBe(201);
	const cycle = "deployment/c → deployment/a → deployment/b → deployment/c";
	expect(await post("c", "deployments.apps/a")).toBe(
		refusal("c", `Forbidden: workloads would wait for each other: ${cycle}`),
	);
	expect(await post("c", "deployment/c")).toMatch(/deployment\/c → deployment\/c$/);
	expect(await post("c", "service/x")).toBe(
		refusal(
			"c",
			`Invalid value: "service/x": 'service/x' names no workload: wanted job/NAME, statefulset/NAME, deployment/NAME, daemonset/NAME or pod/NAME`,
		),
	);
	const hidden = of("c", {}, { annotations: { "coxswain.io/after": "nonsense" } });
	expect((await api.ask("POST", deployments, hidden)).object.message).toContain(
		"spec.template.metadata.annotations[coxswain.io/after]: Invalid value",
	);
	expect((await api.ask("POST", deployments, of("c", {}))).status).toBe(201);
	const change = { metadata: { annotations: { "coxswain.io/after": "deployment/a" } } };
	expect((await api.ask("PATCH", `${deployments}/c`, change, merge)).status).toBe(422);
	// However long the chain, the answer comes.
	for (let link = 1; link < 50; link++) await post(`link-${link}`, `deployment/link-${link - 1}`);
	expect(await post("link-0", "deployment/link-49")).toMatch(
		/deployment\/link-0 → deployment\/link-49 → .* → deployment\/link-0$/,
	);
	await api.close();
});

test("a Job that runs on each node cannot say how many there are", async () => {
	const api = await testApi();
	const jobs = "/apis/batch/v1/namespaces/default/jobs";
	const job = (spec: object) => ({
		metadata: {
			name: "setup",
			annotations: { "coxswain.io/per-node": "true", "coxswain.io/nodes": "another=cluster" },
		},
		spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "a" }] } }, ...spec },
	});
	const refusals = async (spec: object) => (await api.ask("POST", jobs, job(spec))).object.details.causes;
	expect(await refusals({ completions: 3, completionMode: "Indexed" })).toMatchObject([{ field: "spec.completions" }]);
	expect(await refusals({ completionMode: "NonIndexed" })).toMatchObject([
		{ field: "spec.completions" },
		{ field: "spec.completionMode" },
	]);
	const { status, object } = await api.ask("POST", jobs, job({ backoffLimit: 2 }));
	expect(status).toBe(201);
	expect(object.spec).toMatchObject({ completionMode: "Indexed", completions: 0, backoffLimitPerIndex: 2 });
	expect(object.metadata.annotations).toEqual({ "coxswain.io/per-node": "true" });
	// What the controller wrote survives a manifest that does not know of it.
	const written = { metadata: { annotations: { "coxswain.io/nodes": "node-1=1" } }, spec: { completions: 1 } };
	expect((await api.ask("PATCH", `${jobs}/setup`, written, merge)).status).toBe(200);
	const { completions: _, parallelism: _all, ...spec } = object.spec;
	const annotations = { "coxswain.io/per-node": "true" };
	const put = await api.ask("PUT", `${jobs}/setup`, { ...object, metadata: { name: "setup", annotations }, spec });
	expect([put.status, put.object.spec.completions, put.object.metadata.annotations["coxswain.io/nodes"]]).toEqual([
		200,
		1,
		"node-1=1",
	]);
	await api.close();
});

test("what is accepted and cannot work is warned of: mistyped names of annotations, and of a webhook's Secret", async () => {
	const api = await testApi();
	const warningsOf = async (annotations: object) =>
		String((await api.ask("PUT", `${sets}/web`, set(annotations))).headers?.["warning"] ?? "");
	await api.ask("POST", sets, set({}));
	expect(await warningsOf({ "coxswain.io/recover-rolout": "true" })).toContain("means nothing on a StatefulSet");
	const webhook = { "notify.coxswain.io/webhook": "hook" };
	expect(await warningsOf(webhook)).toContain("there is no secret hook in this namespace");
	// Once.
	expect(await warningsOf(webhook)).toBe("");
	await api.ask("POST", "/api/v1/namespaces/default/secrets", {
		metadata: { name: "hook" },
		stringData: { link: "a" },
	});
	await warningsOf({});
	expect(await warningsOf(webhook)).toContain("secret hook has no key url");
	await api.close();
});

test("pods get from their namespace where their images come from, unless they say so", async () => {
	const api = await testApi();
	const pod = (name: string, annotations?: object) => ({
		metadata: { name, ...(annotations && { annotations }) },
		spec: { containers: [{ name: "main", image: "nginx" }] },
	});
	const post = async (body: object) => {
		const { object } = await api.ask("POST", "/api/v1/namespaces/default/pods", body);
		return object.metadata.annotations;
	};
	const annotate = (value: string) =>
		api.ask(
			"PATCH",
			"/api/v1/namespaces/default",
			{ metadata: { annotations: { "coxswain.io/images": value } } },
			merge,
		);
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	expect(await post(pod("before"))).toBeUndefined();
	expect((await annotate("internet")).object.message).toContain(
		'metadata.annotations[coxswain.io/images]: Unsupported value: "internet": supported values: "auto", "registry", "machine"',
	);
	expect((await annotate("registry")).status).toBe(200);
	expect(await post(pod("silent"))).toEqual({ "coxswain.io/images": "registry" });
	expect(await post(pod("other", { "coxswain.io/images": "machine" }))).toEqual({ "coxswain.io/images": "machine" });
	await api.close();
});
