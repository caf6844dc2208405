import { expect, test } from "vitest";
import { namespaces } from "../../kinds/core/namespace.ts";
import { priorityClasses } from "../../kinds/core/priorityclass.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import { endpoints } from "../../kinds/networking/endpoints.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import { clusterRoles } from "../../kinds/rbac/clusterrole.ts";
import { clusterRoleBindings } from "../../kinds/rbac/clusterrolebinding.ts";
import { roles } from "../../kinds/rbac/role.ts";
import { roleBindings } from "../../kinds/rbac/rolebinding.ts";
import { storageClasses } from "../../kinds/storage/storageclass.ts";
import { startCluster } from "../embed/embed.ts";

const kubernetes = { namespace: "default", name: "kubernetes" };

test("what every cluster has comes back when it is deleted", async () => {
	await using cluster = await startCluster({ clock: "virtual", nodes: 1 });
	const { client } = cluster;
	const leader = { namespace: "kube-system", name: "system::leader-locking-kube-scheduler" };
	const all = [
		[services, kubernetes],
		[endpoints, kubernetes],
		[endpointSlices, kubernetes],
		[namespaces, { name: "kube-node-lease" }],
		[clusterRoles, { name: "edit" }],
		[clusterRoleBindings, { name: "system:node-proxier" }],
		[roles, leader],
		[roleBindings, leader],
		[serviceAccounts, { namespace: "kube-system", name: "job-controller" }],
		[storageClasses, { name: "standard" }],
	] as const;
	const uids = new Map<unknown, string>();
	for (const [kind, ref] of all) {
		// One list of all kinds, on which the same operations are used.
		const any = kind as typeof services;
		uids.set(kind, (await client.get(any, ref)).metadata.uid);
		await client.delete(any, ref);
	}
	await cluster.clock.advance("10s");
	for (const [kind, ref] of all) {
		const again = await cluster.waitFor(kind as typeof services, ref, "exists");
		expect(again.metadata.uid).not.toBe(uids.get(kind));
	}
	expect((await client.get(services, kubernetes)).spec.clusterIP).toBe("10.96.0.1");
	await expect(client.delete(priorityClasses, { name: "system-node-critical" })).rejects.toMatchObject({
		reason: "Forbidden",
	});
	await expect(client.delete(namespaces, { name: "kube-system" })).rejects.toMatchObject({ reason: "Forbidden" });
});

test("what is changed is mended, and what users may change stays", async () => {
	await using cluster = await startCluster({ clock: "virtual", nodes: 1 });
	const { client } = cluster;
	const service = await client.get(services, kubernetes);
	const ports = [{ name: "https", port: 444, protocol: "TCP", targetPort: 1 }];
	await client.update(services, { ...service, spec: { ...service.spec, selector: { app: "mine" }, ports } });
	const mended = await cluster.waitFor(services, kubernetes, (found) => found?.spec.ports?.[0]?.port === 443);
	expect(mended.spec.selector).toBeUndefined();
	const reached = await client.get(endpoints, kubernetes);
	await client.update(endpoints, { ...reached, subsets: [] });
	await cluster.waitFor(endpoints, kubernetes, (found) => found?.subsets?.[0]?.addresses?.[0]?.ip === "10.96.0.1");
	const slice = await client.get(endpointSlices, kubernetes);
	await client.update(endpointSlices, { ...slice, endpoints: [] });
	await cluster.waitFor(endpointSlices, kubernetes, (found) => found?.endpoints?.[0]?.addresses[0] === "10.96.0.1");

	const own = { apiGroups: ["example.com"], resources: ["things"], verbs: ["get"] };
	const role = await client.get(clusterRoles, { name: "system:node-proxier" });
	await client.update(clusterRoles, { ...role, rules: [own] });
	const whole = (found: typeof role | undefined) => (found?.rules ?? []).length > 1;
	expect((await cluster.waitFor(clusterRoles, { name: "system:node-proxier" }, whole)).rules).toContainEqual(own);
	const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
	const view = await client.get(clusterRoles, { name: "system:discovery" });
	await client.update(clusterRoles, { ...view, metadata: { ...view.metadata, annotations }, rules: [own] });
	const binding = { metadata: { name: "system:discovery" } };
	await client.delete(clusterRoleBindings, { name: "system:discovery" });
	await client.create(clusterRoleBindings, {
		...binding,
		roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
	});
	await cluster.clock.advance("10s");
	const mendedBinding = await client.get(clusterRoleBindings, { name: "system:discovery" });
	expect(mendedBinding.roleRef.name).toBe("system:discovery");
	expect((await client.get(clusterRoles, { name: "system:discovery" })).rules).toEqual([own]);
	const standard = await client.get(storageClasses, { name: "standard" });
	await client.update(storageClasses, { ...standard, metadata: { ...standard.metadata, annotations: {} } });
	expect((await client.get(storageClasses, { name: "standard" })).metadata.annotations ?? {}).toEqual({});
});
