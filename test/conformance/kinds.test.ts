/** Kinds that no controller acts on: create, read, list, patch, update, watch, delete. */
import { expect, test } from "vitest";
import { testRequest } from "../../src/kinds/certificates/testing/certificate-requests.ts";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, merge } from "./harness.ts";

conformance("kinds with nothing behind them live as the API says", "shared", (target) => {
	const devices = { requests: [{ name: "a", exactly: { deviceClassName: "a" } }] };
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
		["/apis/storage.k8s.io/v1", "volumeattributesclasses", { driverName: "a", parameters: { b: "c" } }, false],
		["/apis/resource.k8s.io/v1", "deviceclasses", { spec: {} }, false],
		["/apis/resource.k8s.io/v1", "resourceclaims", { spec: { devices } }, true],
		["/apis/resource.k8s.io/v1", "resourceclaimtemplates", { spec: { spec: { devices } } }, true],
		[
			"/apis/resource.k8s.io/v1",
			"resourceslices",
			{ spec: { driver: "a", pool: { name: "p", resourceSliceCount: 1 }, allNodes: true, devices: [{ name: "a" }] } },
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

	test.concurrent("certificate requests are listed by signer, approved and signed by subresources", async () => {
		const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
		const { resources } = await target().get("/apis/certificates.k8s.io/v1");
		expect(resources.map(({ name }: Json) => name)).toEqual(
			expect.arrayContaining(["", "/approval", "/status"].map((sub) => `certificatesigningrequests${sub}`)),
		);
		const signerName = "example.com/conformance";
		const request = Buffer.from((await testRequest("CN=e2e.example.com")).pem).toString("base64");
		const usages = ["digital signature", "key encipherment", "server auth"];
		const draft = {
			metadata: { generateName: "conformance-" },
			spec: { request, signerName, expirationSeconds: 3600, usages },
		};
		const [{ metadata }] = [await target().post(path, draft), await target().post(path, draft)];
		const one = `${path}/${metadata.name}`;
		const ofSigner = `${path}?fieldSelector=spec.signerName%3D${encodeURIComponent(signerName)}`;
		const count = async () => (await target().get(ofSigner)).items.length;
		expect([await count(), (await target().get(one)).spec.expirationSeconds]).toEqual([2, 3600]);
		await target().patch(one, merge, { metadata: { annotations: { patched: "true" } } });
		await target().update(one, (object) => {
			object.metadata.annotations.updated = "true";
		});
		for (const sub of ["approval", "status"])
			expect((await target().get(`${one}/${sub}`)).metadata.uid).toBe(metadata.uid);
		const condition = (type: string): Json => ({ type, status: "True", reason: "E2E", message: "of a test" });
		const other = { metadata: { annotations: { approval: "true" } }, status: { conditions: [condition("Other")] } };
		const patched = await target().patch(`${one}/approval`, merge, other);
		expect([patched.metadata.annotations.approval, patched.status.conditions.length]).toEqual(["true", 1]);
		const approved = await target().update(
			one,
			(object) => object.status.conditions.push(condition("Approved")),
			"/approval",
		);
		expect(approved.status.conditions.map(({ type }: Json) => type)).toEqual(["Other", "Approved"]);
		// Any certificate will do.
		const { data } = await target().get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt");
		const certificate = Buffer.from(data["ca.crt"]).toString("base64");
		expect((await target().patch(`${one}/status`, merge, { status: { certificate } })).status.certificate).toBe(
			certificate,
		);
		const more = await target().update(one, (object) => object.status.conditions.push(condition("More")), "/status");
		expect(more.status.conditions.map(({ type }: Json) => type)).toEqual(["Other", "Approved", "More"]);
		await target().delete(one);
		expect([(await target().send("GET", one)).status, await count()]).toEqual([404, 1]);
		await target().delete(ofSigner);
		expect(await count()).toBe(0);
	});
});
