/** Kinds that no controller acts on: create, read, list, patch, update, watch, delete. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, merge } from "./harness.ts";

conformance("kinds with nothing behind them live as the API says", 1, (target) => {
	const kinds: [string, string, Json, boolean][] = [
		["/api/v1", "configmaps", { data: { a: "b" } }, true],
		["/api/v1", "secrets", { stringData: { a: "b" } }, true],
		[
			"/api/v1",
			"podtemplates",
			{ template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "a", image: "b" }] } } },
			true,
		],
		["/api/v1", "serviceaccounts", {}, true],
		["/api/v1", "limitranges", { spec: { limits: [] } }, true],
		["/api/v1", "endpoints", {}, true],
		[
			"/api/v1",
			"events",
			{ involvedObject: { namespace: "NAMESPACE" }, reason: "Test", message: "m", type: "Normal" },
			true,
		],
		[
			"/apis/events.k8s.io/v1",
			"events",
			{
				regarding: { namespace: "NAMESPACE" },
				reason: "Test",
				note: "n",
				type: "Normal",
				action: "Do",
				reportingController: "test",
				reportingInstance: "test-1",
				eventTime: "2026-01-01T00:00:00.000000Z",
			},
			true,
		],
		["/apis/coordination.k8s.io/v1", "leases", { spec: { holderIdentity: "holder", leaseDurationSeconds: 30 } }, true],
		[
			"/apis/networking.k8s.io/v1",
			"ingresses",
			{ spec: { defaultBackend: { service: { name: "a", port: { number: 80 } } } } },
			true,
		],
		["/apis/networking.k8s.io/v1", "ingressclasses", { spec: { controller: "example.com/controller" } }, false],
		["/apis/discovery.k8s.io/v1", "endpointslices", { addressType: "IPv4", endpoints: [] }, true],
		["/apis/node.k8s.io/v1", "runtimeclasses", { handler: "h" }, false],
		["/apis/storage.k8s.io/v1", "storageclasses", { provisioner: "example.com/p" }, false],
		["/apis/storage.k8s.io/v1", "csidrivers", { spec: {} }, false],
		["/apis/storage.k8s.io/v1", "csinodes", { spec: { drivers: [] } }, false],
		["/apis/storage.k8s.io/v1", "csistoragecapacities", { storageClassName: "a" }, true],
		[
			"/apis/storage.k8s.io/v1",
			"volumeattachments",
			{ spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "p" } } },
			false,
		],
		["/apis/scheduling.k8s.io/v1", "priorityclasses", { value: 5 }, false],
		[
			"/apis/autoscaling/v2",
			"horizontalpodautoscalers",
			{ spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "a", apiVersion: "apps/v1" } } },
			true,
		],
		[
			"/apis/autoscaling/v1",
			"horizontalpodautoscalers",
			{ spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "a", apiVersion: "apps/v1" } } },
			true,
		],
		["/apis/rbac.authorization.k8s.io/v1", "clusterroles", { rules: [] }, false],
	];

	test.concurrent.each(kinds)("%s %s", async (group, resource, body, namespaced) => {
		await using space = await target().namespace("kind");
		const all = namespaced ? `${group}/namespaces/${space.name}/${resource}` : `${group}/${resource}`;
		const selector = `labelSelector=run%3D${space.name}`;
		const object = (name: string) => ({
			...JSON.parse(JSON.stringify(body).replaceAll("NAMESPACE", space.name)),
			metadata: { name: `${space.name}-${name}`, labels: { run: space.name } },
		});
		const made = await target().post(all, object("one"));
		const path = `${all}/${made.metadata.name}`;
		const before = await target().get(`${all}?${selector}`);
		expect(before.items).toHaveLength(1);
		if (namespaced) expect((await target().get(`${group}/${resource}?${selector}`)).items).toHaveLength(1);
		const patched = await target().patch(path, merge, { metadata: { annotations: { patched: "true" } } });
		expect(patched.metadata.annotations["patched"]).toBe("true");
		await target().update(path, (current) => {
			current.metadata.annotations["updated"] = "true";
		});
		const event = await target().watch(
			`${all}?${selector}`,
			made.metadata.resourceVersion,
			({ object }) => object.metadata.annotations?.["updated"] === "true",
		);
		expect(event.type).toBe("MODIFIED");
		await target().delete(path);
		await space.gone(path);
		await target().watch(`${all}?${selector}`, event.object.metadata.resourceVersion, ({ type }) => type === "DELETED");
		await target().post(all, object("two"));
		await target().delete(`${all}?${selector}`);
		await eventually(async () => expect((await target().get(`${all}?${selector}`)).items).toEqual([]));
	});
});
