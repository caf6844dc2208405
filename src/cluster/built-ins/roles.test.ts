import { expect, test } from "vitest";
import { testApi } from "../../api/testing/test-api.ts";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import { clusterRoleAggregationController } from "../../controllers/clusterrole-aggregation/controller.ts";
import { systemClock } from "../../core/time/clock.ts";
import type { ClusterRole } from "../../kinds/generated/types.ts";
import {
	bootstrapClusterRoleBindings,
	bootstrapClusterRoles,
	bootstrapRoleBindings,
	bootstrapRoles,
} from "../../kinds/rbac/bootstrap/bootstrap.ts";
import { clusterRoles } from "../../kinds/rbac/clusterrole.ts";
import { clusterRoleBindings } from "../../kinds/rbac/clusterrolebinding.ts";
import { roles } from "../../kinds/rbac/role.ts";
import { roleBindings } from "../../kinds/rbac/rolebinding.ts";
import { makeBuiltIns } from "./make.ts";
import { builtInRoles } from "./roles.ts";

const fail = (what: string, error: unknown) => {
	throw new Error(what, { cause: error });
};

async function fixture() {
	const api = await testApi({ namespaces: ["kube-system", "kube-public"] });
	const user = { name: "system:apiserver", groups: ["system:masters"] };
	const client = createClient(memoryTransport(api.handle, user), { userAgent: "test", clock: systemClock() });
	// The roles of the tests' own server.
	for (const name of ["everything", "health"]) {
		await client.delete(clusterRoles, { name });
		await client.delete(clusterRoleBindings, { name });
	}
	await makeBuiltIns(client, builtInRoles, fail);
	return client;
}

test("every role and binding is made, each binding gives a role that is there, and none is written twice", async () => {
	const client = await fixture();
	const revision = await client.revision();
	for (const [kind, drafts] of [
		[clusterRoles, bootstrapClusterRoles],
		[clusterRoleBindings, bootstrapClusterRoleBindings],
		[roles, bootstrapRoles],
		[roleBindings, bootstrapRoleBindings],
	] as const)
		expect((await client.list<{ apiVersion: string; kind: string; metadata: never }>(kind as never)).items.length).toBe(
			drafts.length,
		);
	for (const { roleRef, metadata } of [...bootstrapClusterRoleBindings, ...bootstrapRoleBindings]) {
		const kind = roleRef.kind === "Role" ? roles : clusterRoles;
		const ref = { name: roleRef.name, namespace: roleRef.kind === "Role" ? metadata.namespace : undefined };
		expect((await client.get(kind as typeof roles, ref)).metadata.labels).toMatchObject({
			"kubernetes.io/bootstrapping": "rbac-defaults",
		});
	}
	await makeBuiltIns(client, builtInRoles, fail);
	expect(await client.revision()).toBe(revision);
});

test("aggregated roles have the rules that their controller gives them", async () => {
	const client = await fixture();
	const made = (await client.list(clusterRoles, {})).items;
	expect(clusterRoleAggregationController.plan(made, { now: 0 } as never)).toEqual({ actions: [] });
	const view = made.find((role) => role.metadata.name === "view");
	expect(view?.rules).toContainEqual(expect.objectContaining({ resources: expect.arrayContaining(["configmaps"]) }));
	await client.update(clusterRoles, { ...(view as ClusterRole), rules: [] });
	await makeBuiltIns(client, builtInRoles, fail);
	expect((await client.get(clusterRoles, { name: "view" })).rules ?? []).toEqual([]);
});

test("what a role or binding lacks is added, and what its users have added stays", async () => {
	const client = await fixture();
	const role = await client.get(clusterRoles, { name: "system:kube-dns" });
	const own = { apiGroups: ["example.com"], resources: ["things"], verbs: ["get"] };
	const half = { apiGroups: [""], resources: ["services"], verbs: ["list"] };
	const metadata = { ...role.metadata, labels: {}, annotations: { mine: "yes" } };
	await client.update(clusterRoles, { ...role, metadata, rules: [own, half] });
	const binding = await client.get(clusterRoleBindings, { name: "system:kube-dns" });
	const subject = { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "ann" };
	await client.update(clusterRoleBindings, { ...binding, subjects: [subject] });
	const view = await client.get(clusterRoles, { name: "view" });
	const selector = { matchLabels: { also: "this" } };
	await client.update(clusterRoles, { ...view, aggregationRule: { clusterRoleSelectors: [selector] } });
	await client.delete(clusterRoles, { name: "edit" });
	await makeBuiltIns(client, builtInRoles, fail);
	const reconciled = await client.get(clusterRoles, { name: "system:kube-dns" });
	expect(reconciled.rules).toEqual([
		own,
		half,
		{ apiGroups: [""], resources: ["endpoints"], verbs: ["list", "watch"] },
		{ apiGroups: [""], resources: ["services"], verbs: ["watch"] },
	]);
	expect(reconciled.metadata.labels).toEqual({ "kubernetes.io/bootstrapping": "rbac-defaults" });
	expect(reconciled.metadata.annotations).toMatchObject({ mine: "yes" });
	expect((await client.get(clusterRoleBindings, { name: "system:kube-dns" })).subjects).toEqual([
		subject,
		{ kind: "ServiceAccount", name: "kube-dns", namespace: "kube-system" },
	]);
	expect((await client.get(clusterRoles, { name: "view" })).aggregationRule?.clusterRoleSelectors).toEqual([
		selector,
		{ matchLabels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
	]);
	expect((await client.get(clusterRoles, { name: "edit" })).aggregationRule).toBeDefined();
});

test("what is not to be updated is left alone, and a binding that gives another role is replaced", async () => {
	const client = await fixture();
	const role = await client.get(clusterRoles, { name: "system:kube-dns" });
	const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
	await client.update(clusterRoles, { ...role, metadata: { ...role.metadata, annotations }, rules: [] });
	await client.delete(clusterRoleBindings, { name: "system:kube-dns" });
	await client.create(clusterRoleBindings, {
		metadata: { name: "system:kube-dns" },
		roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
	});
	await makeBuiltIns(client, builtInRoles, fail);
	expect((await client.get(clusterRoles, { name: "system:kube-dns" })).rules ?? []).toEqual([]);
	expect((await client.get(clusterRoleBindings, { name: "system:kube-dns" })).roleRef.name).toBe("system:kube-dns");
});
