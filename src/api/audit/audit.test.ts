import { expect, test } from "vitest";
import { type Json, testApi } from "../testing/test-api.ts";
import type { AuditEvent } from "./event.ts";
import { auditPolicy } from "./policy.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";

async function audited(policy: object) {
	const events: AuditEvent[] = [];
	const document = { apiVersion: "audit.k8s.io/v1", kind: "Policy", ...policy };
	const audit = { policy: auditPolicy(document), sink: (event: AuditEvent) => events.push(event) };
	const api = await testApi({ audit, roles: "bootstrap" });
	events.length = 0;
	return { api, events };
}

test("the record of a request has its user, its attributes and its result", async () => {
	const { api, events } = await audited({ rules: [{ level: "RequestResponse" }] });
	const body = { metadata: { name: "a" }, data: { x: "1" } };
	const headers = { "user-agent": "kubectl", "x-forwarded-for": "192.0.2.1, rubbish" };
	const answer = await api.ask("POST", `${configMaps}?fieldManager=me`, body, { headers });
	const [received, complete] = events as [AuditEvent, AuditEvent];
	expect(events).toHaveLength(2);
	expect(received).toMatchObject({ stage: "RequestReceived", level: "RequestResponse" });
	expect(received.responseStatus).toBeUndefined();
	expect(received.requestObject).toBeUndefined();
	expect(complete).toEqual({
		kind: "Event",
		apiVersion: "audit.k8s.io/v1",
		level: "RequestResponse",
		auditID: received.auditID,
		stage: "ResponseComplete",
		requestURI: `${configMaps}?fieldManager=me`,
		verb: "create",
		user: { username: "admin", groups: ["system:masters", "system:authenticated"] },
		sourceIPs: ["192.0.2.1", "127.0.0.1"],
		userAgent: "kubectl",
		objectRef: { resource: "configmaps", namespace: "default", name: "a", apiVersion: "v1" },
		responseStatus: { metadata: {}, code: 201 },
		requestObject: body,
		responseObject: answer.object,
		requestReceivedTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
		stageTimestamp: expect.stringMatching(/\.\d{6}Z$/),
		annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
	});
	expect(answer.headers["audit-id"]).toBe(received.auditID);
});

test("levels say how much is kept, and stages can be left out", async () => {
	const { api, events } = await audited({
		omitStages: ["RequestReceived"],
		rules: [
			{ level: "Metadata", verbs: ["create"] },
			{ level: "Request", verbs: ["patch"] },
			{ level: "RequestResponse", verbs: ["get"], omitStages: ["ResponseComplete"] },
			{ level: "None" },
		],
	});
	await api.ask("POST", configMaps, { metadata: { generateName: "a-" } });
	const [created] = events.splice(0);
	expect(created?.objectRef?.name).toMatch(/^a-/);
	expect([created?.stage, created?.requestObject, created?.responseObject]).toEqual([
		"ResponseComplete",
		undefined,
		undefined,
	]);
	await api.ask(
		"PATCH",
		`${configMaps}/${created?.objectRef?.name}`,
		{ data: { x: "1" } },
		{ type: "application/merge-patch+json" },
	);
	const [patched] = events.splice(0);
	expect([patched?.requestObject, patched?.responseObject]).toEqual([{ data: { x: "1" } }, undefined]);
	await api.ask("GET", `${configMaps}/${created?.objectRef?.name}`);
	await api.ask("GET", configMaps);
	expect(events).toEqual([]);
});

test("refused requests are recorded, with the reason, and those whose sender is not known once", async () => {
	const { api, events } = await audited({ omitStages: ["RequestReceived"], rules: [{ level: "Metadata" }] });
	await api.ask("GET", `${configMaps}/none`);
	expect(events.splice(0)).toMatchObject([
		{ stage: "ResponseComplete", responseStatus: { code: 404, status: "Failure", reason: "NotFound" } },
	]);
	for (const [authorization, attempted] of [
		["Bearer rubbish", "bearer"],
		["Basic YTpi", "basic"],
	] as const) {
		await api.ask("GET", configMaps, undefined, { user: undefined, headers: { authorization } });
		expect(events.splice(0)).toMatchObject([
			{
				stage: "ResponseStarted",
				user: { username: "" },
				objectRef: { resource: "configmaps" },
				responseStatus: { code: 401, message: `Authentication failed, attempted: ${attempted}` },
			},
		]);
	}
	const bea = { name: "bea", groups: ["system:authenticated"] };
	await api.ask("GET", configMaps, undefined, { user: bea, headers: { "impersonate-user": "ann" } });
	expect(events.splice(0)).toMatchObject([{ user: { username: "bea" }, responseStatus: { code: 403 } }]);
});

test("the record of an impersonated request has both users", async () => {
	const { api, events } = await audited({ rules: [{ level: "Metadata", users: ["admin"] }] });
	const headers = { "impersonate-user": "root", "impersonate-group": "system:masters" };
	await api.ask("GET", configMaps, undefined, { headers });
	expect(events.at(-1)).toMatchObject({
		user: { username: "admin" },
		impersonatedUser: { username: "root", groups: ["system:masters", "system:authenticated"] },
	});
	expect(events[0]?.impersonatedUser).toBeUndefined();
});

test("a watch is recorded when it begins and when it ends", async () => {
	const { api, events } = await audited({ rules: [{ level: "Metadata", verbs: ["watch"] }] });
	const gone = new AbortController();
	await api.watch(`${configMaps}?watch=1`, { signal: gone.signal });
	expect(events.map(({ stage }) => stage)).toEqual(["RequestReceived", "ResponseStarted"]);
	gone.abort();
	expect(events.map(({ stage }) => stage)).toEqual(["RequestReceived", "ResponseStarted", "ResponseComplete"]);
	await api.watch(`${configMaps}?watch=1`);
	await api.close();
	expect(events.filter(({ stage }) => stage === "ResponseComplete")).toHaveLength(2);
});

test("an ID of the client's own is kept, and managed fields and very long contents are not", async () => {
	const { api, events } = await audited({
		omitStages: ["RequestReceived"],
		omitManagedFields: true,
		rules: [{ level: "RequestResponse" }],
	});
	const apply = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1" } };
	const answer = await api.ask("PATCH", `${configMaps}/a?fieldManager=me`, apply, {
		type: "application/apply-patch+yaml",
		headers: { "audit-id": "mine" },
	});
	expect(answer.headers["audit-id"]).toBe("mine");
	const [applied] = events.splice(0) as [Json];
	expect([applied.auditID, applied.requestObject]).toEqual(["mine", apply]);
	expect(answer.object.metadata.managedFields).toHaveLength(1);
	expect(applied.responseObject.metadata.managedFields).toBeUndefined();
	expect(applied.responseObject.data).toEqual({ x: "1" });
	await api.ask("GET", configMaps);
	const [listed] = events.splice(0) as [Json];
	expect(listed.responseObject.items[0].metadata.managedFields).toBeUndefined();
	await api.ask(
		"POST",
		configMaps,
		{ metadata: { name: "b" }, data: { x: "x".repeat(1024 * 1024) } },
		{ type: "application/json" },
	);
	const [long] = events.splice(0) as [Json];
	expect([long.requestObject, long.responseStatus.code]).toEqual([undefined, 201]);
	expect(long.annotations["audit.k8s.io/truncated"]).toBe("true");
});

test("what admission notes is among the annotations", async () => {
	const { api, events } = await audited({ omitStages: ["RequestReceived"], rules: [{ level: "Metadata" }] });
	const labels = { "pod-security.kubernetes.io/audit": "restricted" };
	await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "strict", labels } });
	await api.ask("POST", "/api/v1/namespaces/strict/serviceaccounts", { metadata: { name: "default" } });
	await api.ask("POST", "/api/v1/namespaces/strict/pods", {
		metadata: { name: "p" },
		spec: { containers: [{ name: "c", image: "i", securityContext: { privileged: true } }] },
	});
	expect(events.at(-1)?.annotations?.["pod-security.kubernetes.io/audit-violations"]).toContain("privileged");
});

test("requests without a rule in the policy are not recorded", async () => {
	const { api, events } = await audited({ rules: [{ level: "Metadata", users: ["nobody"] }] });
	const answer = await api.ask("GET", configMaps);
	expect([events, answer.headers["audit-id"]]).toEqual([[], undefined]);
});

test("the patch of a mutating webhook is recorded where contents are, that it changed something everywhere", async () => {
	const patch = [{ op: "add", path: "/data", value: { a: "b" } }];
	const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE" as const] }];
	const seen: Record<string, string>[] = [];
	for (const level of ["Metadata", "Request"]) {
		const document = { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level }] };
		const sink = ({ annotations = {}, stage }: AuditEvent) => stage === "ResponseComplete" && seen.push(annotations);
		const webhooks = [{ name: "data.example.com", type: "mutating" as const, rules, handle: () => ({ patch }) }];
		const api = await testApi({ audit: { policy: auditPolicy(document), sink }, webhooks });
		seen.length = level === "Metadata" ? 0 : 1;
		await api.ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "a" } });
		await api.close();
	}
	const [few, more] = seen;
	const place = "webhook.admission.k8s.io/round_0_index_0";
	expect(JSON.parse(few?.[`mutation.${place}`] ?? "")).toMatchObject({ webhook: "data.example.com", mutated: true });
	expect(few).not.toHaveProperty([`patch.${place}`]);
	const told = JSON.parse(more?.[`patch.${place}`] ?? "");
	expect(told).toMatchObject({ webhook: "data.example.com", patch, patchType: "JSONPatch" });
});
