import { expect, test } from "vitest";
import type { AuditEvent } from "../../audit/event.ts";
import { auditPolicy } from "../../audit/policy.ts";
import { type TestApi, testApi } from "../../testing/test-api.ts";

const pods = "/api/v1/namespaces/shop/pods";
const prefix = "pod-security.kubernetes.io/";
const patchType = { headers: { "content-type": "application/merge-patch+json" } };

async function shop(labels: Record<string, string>, podSecurity: Parameters<typeof testApi>[0] = {}): Promise<TestApi> {
	const api = await testApi({ namespaces: ["default"], ...podSecurity });
	const created = await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "shop", labels: labelled(labels) } });
	expect(created.status).toBe(201);
	await api.ask("POST", "/api/v1/namespaces/shop/serviceaccounts", { metadata: { name: "default" } });
	return api;
}

function labelled(labels: Record<string, string>): Record<string, string> {
	return Object.fromEntries(Object.entries(labels).map(([name, value]) => [prefix + name, value]));
}

function plain(name: string, more: object = {}, metadata: object = {}) {
	return { metadata: { name, ...metadata }, spec: { containers: [{ name: "c", image: "web" }], ...more } };
}

function warningsOf({ headers }: { headers: Record<string, string> }): string[] {
	const header = headers["warning"] ?? "";
	return [...header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
}

const hostIpc = 'violates PodSecurity "baseline:latest": host namespaces (hostIPC=true)';

test("a pod that violates the enforced level is refused, another is not", async () => {
	const api = await shop({ enforce: "baseline" });
	const refusal = await api.ask("POST", pods, plain("x", { hostIPC: true }));
	expect(refusal.status).toBe(403);
	expect(refusal.object.message).toBe(`pods "x" is forbidden: ${hostIpc}`);
	expect(refusal.object.details).toEqual({ name: "x", kind: "pods" });
	const answer = await api.ask("POST", pods, plain("x"));
	expect([answer.status, warningsOf(answer)]).toEqual([201, []]);
	await api.close();
});

test("a namespace without labels demands nothing", async () => {
	const api = await shop({});
	const answer = await api.ask("POST", pods, plain("x", { hostIPC: true }));
	expect([answer.status, warningsOf(answer)]).toEqual([201, []]);
	await api.close();
});

test("clients are warned of what is not refused", async () => {
	const api = await shop({ enforce: "baseline", warn: "restricted", "warn-version": "v1.20" });
	const answer = await api.ask("POST", pods, plain("x"));
	expect(answer.status).toBe(201);
	expect(warningsOf(answer)).toEqual([
		'would violate PodSecurity "restricted:v1.20": ' +
			'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
			'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
			'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
	]);
	await api.close();
});

test("a workload whose pods will be refused is let through with a warning", async () => {
	const api = await shop({ enforce: "baseline" });
	const spec = { hostPID: true, containers: [{ name: "c", image: "web" }] };
	const template = { metadata: { labels: { app: "x" } }, spec };
	const once = { ...template, spec: { ...spec, restartPolicy: "Never" } };
	const selector = { matchLabels: { app: "x" } };
	const jobTemplate = { spec: { template: once } };
	for (const [path, body] of Object.entries({
		"/apis/apps/v1/namespaces/shop/deployments": { spec: { selector, template } },
		"/apis/apps/v1/namespaces/shop/replicasets": { spec: { selector, template } },
		"/apis/apps/v1/namespaces/shop/daemonsets": { spec: { selector, template } },
		"/apis/apps/v1/namespaces/shop/statefulsets": { spec: { selector, template, serviceName: "x" } },
		"/apis/batch/v1/namespaces/shop/jobs": { spec: { template: once } },
		"/apis/batch/v1/namespaces/shop/cronjobs": { spec: { schedule: "* * * * *", jobTemplate } },
		"/api/v1/namespaces/shop/replicationcontrollers": { spec: { selector: { app: "x" }, template } },
		"/api/v1/namespaces/shop/podtemplates": { template },
	})) {
		const answer = await api.ask("POST", path, { metadata: { name: "x" }, ...body });
		expect([path, answer.status, warningsOf(answer)]).toEqual([
			path,
			201,
			['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'],
		]);
	}
	await api.close();
});

test("a pod that exists is looked at again when it gets another image or an ephemeral container", async () => {
	const api = await shop({});
	await api.ask("POST", pods, plain("x", { hostIPC: true }));
	const labels = labelled({ enforce: "baseline" });
	await api.ask("PATCH", "/api/v1/namespaces/shop", { metadata: { labels } }, patchType);
	const note = await api.ask("PATCH", `${pods}/x`, { metadata: { annotations: { a: "b" } } }, patchType);
	expect(note.status).toBe(200);
	const strategic = { headers: { "content-type": "application/strategic-merge-patch+json" } };
	const containers = [{ name: "c", image: "other" }];
	const image = await api.ask("PATCH", `${pods}/x`, { spec: { containers } }, strategic);
	expect(image.object.message).toBe(`pods "x" is forbidden: ${hostIpc}`);
	await api.ask("POST", pods, plain("y"));
	const debug = (securityContext: object) =>
		api.ask(
			"PATCH",
			`${pods}/y/ephemeralcontainers`,
			{ spec: { ephemeralContainers: [{ name: "debugger", image: "web", securityContext }] } },
			strategic,
		);
	expect((await debug({ privileged: true })).object.message).toBe(
		'pods "y" is forbidden: violates PodSecurity "baseline:latest": privileged (container "debugger" must not set securityContext.privileged=true)',
	);
	expect((await debug({})).status).toBe(200);
	await api.close();
});

test("labels that cannot be read are refused, unless they were there before", async () => {
	const api = await testApi();
	const labels = labelled({ enforce: "strict", "warn-version": "1.20" });
	const refusal = await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "shop", labels } });
	expect(refusal.status).toBe(422);
	expect(refusal.object.message).toBe(
		'Namespace "shop" is invalid: [' +
			`metadata.labels[${prefix}enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, ` +
			`metadata.labels[${prefix}warn-version]: Invalid value: "1.20": must be "latest" or "v1.x"]`,
	);
	for (const version of ["latest", "v1.0", "v1.36", "v1.99"]) {
		const name = `with-${version.replace(".", "-")}`;
		const metadata = { name, labels: labelled({ "enforce-version": version }) };
		expect((await api.ask("POST", "/api/v1/namespaces", { metadata })).status).toBe(201);
	}
	const change = await api.ask("PATCH", "/api/v1/namespaces/default", { metadata: { labels } }, patchType);
	expect(change.status).toBe(422);
	await api.close();
});

test("enforcing a stricter level warns of the pods that violate it", async () => {
	const api = await shop({});
	const owned = {
		ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "1", controller: true }],
	};
	await api.ask("POST", pods, plain("b", { hostIPC: true }, owned));
	await api.ask("POST", pods, plain("a", { hostIPC: true }, owned));
	await api.ask("POST", pods, plain("c", { hostPID: true, hostIPC: true }));
	await api.ask(
		"POST",
		pods,
		plain("d", { hostNetwork: true, containers: [{ name: "c", image: "web", securityContext: { privileged: true } }] }),
	);
	await api.ask("POST", pods, plain("e"));
	const label = async (labels: Record<string, string>, query = "") =>
		warningsOf(
			await api.ask("PATCH", `/api/v1/namespaces/shop${query}`, { metadata: { labels: labelled(labels) } }, patchType),
		);
	const warnings = [
		'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
		"a (and 2 other pods): host namespaces",
		"d: host namespaces, privileged",
	];
	expect(await label({ enforce: "baseline" }, "?dryRun=All")).toEqual(warnings);
	expect(await label({ enforce: "baseline" })).toEqual(warnings);
	expect(await label({ enforce: "baseline" })).toEqual([]);
	expect((await label({ enforce: "restricted", "enforce-version": "v1.7" })).slice(0, 2)).toEqual([
		'existing pods in namespace "shop" violate the new PodSecurity enforce level "restricted:v1.7"',
		"a (and 2 other pods): host namespaces, runAsNonRoot != true",
	]);
	expect(await label({ enforce: "privileged" })).toEqual([]);
	await api.close();
});

test("the audit log records the level that was enforced and what another would refuse", async () => {
	const recorded: AuditEvent[] = [];
	const policy = auditPolicy({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: "Metadata" }] });
	const api = await shop(
		{ enforce: "privileged", audit: "baseline" },
		{ audit: { policy, sink: (event) => void recorded.push(event) } },
	);
	await api.ask("POST", pods, plain("x", { hostIPC: true }));
	const event = recorded.find(({ objectRef, stage }) => objectRef?.resource === "pods" && stage === "ResponseComplete");
	expect(event?.annotations).toMatchObject({
		"pod-security.kubernetes.io/enforce-policy": "privileged:latest",
		"pod-security.kubernetes.io/audit-violations":
			'would violate PodSecurity "baseline:latest": host namespaces (hostIPC=true)',
	});
	await api.close();
});

test("the operator sets defaults and exempts users, namespaces and runtime classes", async () => {
	const baseline = { level: "baseline", version: "latest" } as const;
	const podSecurity = {
		defaults: { enforce: baseline, audit: baseline, warn: baseline },
		exemptions: { usernames: ["installer"], namespaces: ["machines"], runtimeClasses: ["vm"] },
	};
	const api = await shop({}, { podSecurity });
	const refusal = await api.ask("POST", pods, plain("x", { hostIPC: true }));
	expect(refusal.object.message).toBe(`pods "x" is forbidden: ${hostIpc}`);
	const user = { name: "installer", groups: ["system:masters", "system:authenticated"] };
	expect((await api.ask("POST", pods, plain("x", { hostIPC: true }), { user })).status).toBe(201);
	await api.ask("POST", "/apis/node.k8s.io/v1/runtimeclasses", { metadata: { name: "vm" }, handler: "vm" });
	expect((await api.ask("POST", pods, plain("y", { hostIPC: true, runtimeClassName: "vm" }))).status).toBe(201);
	const labels = labelled({ enforce: "restricted" });
	const exempt = await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "machines", labels } });
	expect(warningsOf(exempt)).toEqual([
		'namespace "machines" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored',
	]);
	await api.close();
});
