/** Resource quotas and limit ranges. */
import { expect, test } from "vitest";
import { conformance, type Json, merge, type Namespace, strategic } from "./harness.ts";
import { images, pauseOf, podOf, rcOf, templateOf } from "./objects.ts";

conformance("quotas", "shared", (target) => {
	const hard = {
		pods: "5",
		services: "10",
		replicationcontrollers: "10",
		resourcequotas: "1",
		configmaps: "10",
		secrets: "10",
		persistentvolumeclaims: "10",
		"count/replicasets.apps": "5",
		"requests.cpu": "1",
		"requests.memory": "500Mi",
		"requests.storage": "10Gi",
		"services.nodeports": "1",
		"services.loadbalancers": "1",
		"requests.ephemeral-storage": "50Gi",
		"requests.example.com/dongle": "3",
	};
	const used = (space: Namespace, name: string, wanted: Json) =>
		space.until(space.core("resourcequotas", name), ({ status }) =>
			Object.entries(wanted).every(([resource, amount]) => status?.used?.[resource] === amount),
		);
	const quota = (space: Namespace, name: string, spec: Json) =>
		target().post(space.core("resourcequotas"), { metadata: { name }, spec });

	test.concurrent("count objects of all kinds as they come and go", async () => {
		await using space = await target().namespace("quota-count");
		await quota(space, "test-quota", { hard });
		const before = await used(space, "test-quota", { pods: "0", resourcequotas: "1", secrets: "0" });
		const maps = Number(before.status.used["configmaps"]);
		const things: [string, Json, Json][] = [
			["configmaps", { metadata: { name: "x" } }, { configmaps: String(maps + 1) }],
			["secrets", { metadata: { name: "x" } }, { secrets: "1" }],
			[
				"services",
				{ metadata: { name: "x" }, spec: { type: "NodePort", ports: [{ port: 80 }] } },
				{ services: "1", "services.nodeports": "1" },
			],
			["replicationcontrollers", rcOf("x", 0, "x"), { replicationcontrollers: "1" }],
			[
				"persistentvolumeclaims",
				{
					metadata: { name: "x" },
					spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
				},
				{ persistentvolumeclaims: "1", "requests.storage": "1Gi" },
			],
		];
		for (const [resource, object, wanted] of things) {
			await target().post(space.core(resource), object);
			await used(space, "test-quota", wanted);
			await target().delete(space.core(resource, "x"));
			const none = Object.fromEntries(
				Object.keys(wanted).map((key) => [key, key === "configmaps" ? String(maps) : "0"]),
			);
			await used(space, "test-quota", none);
		}
		await target().post(space.apps("replicasets"), {
			metadata: { name: "x" },
			spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template: templateOf({ a: "b" }, {}) },
		});
		await used(space, "test-quota", { "count/replicasets.apps": "1" });
		await target().delete(space.apps("replicasets", "x"));
		await used(space, "test-quota", { "count/replicasets.apps": "0" });
		expect(
			(
				await target().send("POST", space.core("resourcequotas"), {
					metadata: { name: "second" },
					spec: { hard: {} },
				})
			).status,
		).toBe(403);
	});

	test.concurrent("hold pods to what is left, by scope", async () => {
		await using space = await target().namespace("quota-pod");
		await quota(space, "test-quota", { hard });
		await quota(space, "best-effort", { hard: { pods: "5" }, scopes: ["BestEffort"] }).catch(() => {});
		await used(space, "test-quota", { pods: "0" });
		const pod = (name: string, requests: Json, limits: Json = {}) =>
			podOf(name, { image: images.pause, resources: { requests, limits } });
		const requests = { cpu: "500m", memory: "252Mi", "ephemeral-storage": "30Gi", "example.com/dongle": "2" };
		await target().post(space.core("pods"), pod("test-pod", requests, { "example.com/dongle": "2" }));
		await used(space, "test-quota", {
			pods: "1",
			"requests.cpu": "500m",
			"requests.memory": "252Mi",
			"requests.ephemeral-storage": "30Gi",
			"requests.example.com/dongle": "2",
		});
		for (const [name, more] of [
			["cpu", { cpu: "600m", memory: "100Mi" }],
			["dongle", { cpu: "100m", memory: "100Mi", "example.com/dongle": "2" }],
		] as const) {
			const limits = "example.com/dongle" in more ? { "example.com/dongle": "2" } : {};
			const refused = await target().send(
				"POST",
				space.core("pods"),
				pod(`fail-${name}`, { ...more, "ephemeral-storage": "1Gi" }, limits),
			);
			expect(refused).toMatchObject({
				status: 403,
				body: { message: expect.stringContaining("exceeded quota: test-quota") },
			});
		}
		await target().delete(space.core("pods", "test-pod"), { gracePeriodSeconds: 0 });
		await used(space, "test-quota", { pods: "0", "requests.cpu": "0", "requests.memory": "0" });
	});

	test.concurrent("apply to best effort or not, to pods with a deadline or not", async () => {
		await using space = await target().namespace("quota-scope");
		for (const scope of ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating"])
			await quota(space, scope.toLowerCase(), { hard: { pods: "5" }, scopes: [scope] });
		for (const scope of ["besteffort", "notbesteffort", "terminating", "notterminating"])
			await used(space, scope, { pods: "0" });
		await target().post(space.core("pods"), pauseOf("best"));
		await used(space, "besteffort", { pods: "1" });
		await used(space, "notterminating", { pods: "1" });
		const limited = podOf(
			"limited",
			{ image: images.pause, resources: { limits: { cpu: "100m", memory: "20Mi" } } },
			{ activeDeadlineSeconds: 3600 },
		);
		await target().post(space.core("pods"), limited);
		await used(space, "notbesteffort", { pods: "1" });
		await used(space, "terminating", { pods: "1" });
		await used(space, "besteffort", { pods: "1" });
	});

	test.concurrent("apply to what their scope selectors say", async () => {
		await using space = await target().namespace("quota-selector");
		const classes = [`gold-${space.name}`, `silver-${space.name}`];
		const [gold = "", silver = ""] = classes;
		for (const name of classes)
			await target().post("/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name }, value: 1000 });
		const scoped = (name: string, hard: Json, scopeName: string, operator: string, values?: string[]) =>
			quota(space, name, { hard, scopeSelector: { matchExpressions: [{ scopeName, operator, values }] } });
		await scoped("gold", { pods: "1" }, "PriorityClass", "In", [gold]);
		await scoped("not-gold", { pods: "5" }, "PriorityClass", "NotIn", [gold]);
		await scoped("any", { pods: "5" }, "PriorityClass", "Exists");
		await scoped("afar", { pods: "5" }, "CrossNamespacePodAffinity", "Exists");
		await scoped("deadline", { pods: "5" }, "Terminating", "Exists");
		const names = ["gold", "not-gold", "any", "afar", "deadline"];
		const counts = async (...expected: string[]) => {
			for (const [index, name] of names.entries()) await used(space, name, { pods: expected[index] });
		};
		await counts("0", "0", "0", "0", "0");
		const pod = (name: string, spec: Json) => podOf(name, { image: images.pause }, spec);
		await target().post(space.core("pods"), pod("gold", { priorityClassName: gold }));
		await counts("1", "0", "1", "0", "0");
		const second = await target().send("POST", space.core("pods"), pod("more", { priorityClassName: gold }));
		expect(second).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
		await target().post(space.core("pods"), pod("silver", { priorityClassName: silver, activeDeadlineSeconds: 3600 }));
		await counts("1", "1", "2", "0", "1");
		const affinity = (term: Json) => ({
			affinity: {
				podAntiAffinity: {
					requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "region", ...term }],
				},
			},
		});
		await target().post(space.core("pods"), pod("near", affinity({})));
		await target().post(space.core("pods"), pod("far", affinity({ namespaces: ["ns1"] })));
		const team = { matchExpressions: [{ key: "team", operator: "In", values: ["ads"] }] };
		await target().post(space.core("pods"), pod("team", affinity({ namespaceSelector: team })));
		await used(space, "afar", { pods: "2" });
		for (const { metadata } of await space.pods())
			await target().delete(space.core("pods", metadata.name), { gracePeriodSeconds: 0 });
		await counts("0", "0", "0", "0", "0");
		for (const name of classes) await target().delete(`/apis/scheduling.k8s.io/v1/priorityclasses/${name}`);
	});

	test.concurrent("hold for pods that are resized, as limit ranges do", async () => {
		await using quotas = await target().namespace("quota-resize");
		await using limits = await target().namespace("limits-resize");
		await quota(quotas, "resize-resource-quota", { hard: { cpu: "800m", memory: "800Mi" } });
		const container = { type: "Container", max: { cpu: "500m", memory: "500Mi" }, min: { cpu: "50m", memory: "50Mi" } };
		await target().post(limits.core("limitranges"), { metadata: { name: "limits" }, spec: { limits: [container] } });
		const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
		for (const space of [quotas, limits])
			for (const name of ["testpod1", "testpod2"])
				await space.run(
					podOf(name, { image: images.busybox, command: ["sleep", "6000"], resources: resources("300m", "300Mi") }),
				);
		const resize = (space: Namespace, cpu: string, memory: string) =>
			target().send(
				"PATCH",
				`${space.core("pods", "testpod1")}/resize`,
				{ spec: { containers: [{ name: "main", resources: resources(cpu, memory) }] } },
				{ "Content-Type": strategic },
			);
		await used(quotas, "resize-resource-quota", { cpu: "600m", memory: "600Mi" });
		const cases: [Namespace, string, string, string][] = [
			[
				quotas,
				"600m",
				"400Mi",
				"exceeded quota: resize-resource-quota, requested: cpu=300m, used: cpu=600m, limited: cpu=800m",
			],
			[
				quotas,
				"250m",
				"750Mi",
				"exceeded quota: resize-resource-quota, requested: memory=450Mi, used: memory=600Mi, limited: memory=800Mi",
			],
			[
				quotas,
				"600m",
				"750Mi",
				"exceeded quota: resize-resource-quota, requested: cpu=300m,memory=450Mi, used: cpu=600m,memory=600Mi, limited: cpu=800m,memory=800Mi",
			],
			[limits, "600m", "250Mi", "forbidden: maximum cpu usage per Container is 500m, but limit is 600m"],
			[limits, "250m", "750Mi", "forbidden: maximum memory usage per Container is 500Mi, but limit is 750Mi"],
			[limits, "10m", "400Mi", "forbidden: minimum cpu usage per Container is 50m, but request is 10m"],
		];
		for (const [space, cpu, memory, message] of cases)
			expect(await resize(space, cpu, memory)).toMatchObject({
				status: 403,
				body: { message: expect.stringContaining(message) },
			});
		for (const space of [quotas, limits]) {
			expect((await resize(space, "350m", "350Mi")).status).toBe(200);
			await space.until(
				space.core("pods", "testpod1"),
				({ status }) =>
					status.containerStatuses[0].resources.limits.cpu === "350m" &&
					!status.conditions.some(({ type }: Json) => type.startsWith("PodResize")),
			);
		}
		await used(quotas, "resize-resource-quota", { cpu: "650m", memory: "650Mi" });
		expect((await resize(quotas, "200m", "350Mi")).status).toBe(200);
		await used(quotas, "resize-resource-quota", { cpu: "500m", memory: "650Mi" });
	}, 60_000);

	test.concurrent("count claims by the class of attributes that they have, and by the one that they want", async () => {
		await using space = await target().namespace("quota-attributes");
		const scope = (name: string) =>
			quota(space, name, {
				hard: { "requests.storage": "5Gi", persistentvolumeclaims: "1" },
				scopeSelector: { matchExpressions: [{ scopeName: "VolumeAttributesClass", operator: "In", values: [name] }] },
			});
		await scope("gold");
		await scope("silver");
		const none = { "requests.storage": "0", persistentvolumeclaims: "0" };
		const one = { "requests.storage": "1Gi", persistentvolumeclaims: "1" };
		await used(space, "gold", none);
		await used(space, "silver", none);
		const volumeName = `pv-${space.name}`;
		const spec = { accessModes: ["ReadWriteOnce"], storageClassName: "", volumeAttributesClassName: "gold" };
		const claim = (name: string, more: Json = {}): Json => ({
			metadata: { name },
			spec: { ...spec, resources: { requests: { storage: "1Gi" } }, ...more },
		});
		await target().post(space.core("persistentvolumeclaims"), claim("claim", { volumeName }));
		await used(space, "gold", one);
		const second = await target().send("POST", space.core("persistentvolumeclaims"), claim("more"));
		expect(second).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
		await target().post("/api/v1/persistentvolumes", {
			metadata: { name: volumeName },
			spec: {
				...spec,
				capacity: { storage: "1Gi" },
				csi: { driver: "csi.example.com", volumeHandle: "e2e-fake" },
				claimRef: { namespace: space.name, name: "claim" },
				persistentVolumeReclaimPolicy: "Retain",
			},
		});
		const path = space.core("persistentvolumeclaims", "claim");
		await space.until(path, ({ status }) => status.phase === "Bound");
		// As a driver says what the volume has.
		const has = (currentVolumeAttributesClassName: string) =>
			target().update(path, ({ status }) => Object.assign(status, { currentVolumeAttributesClassName }), "/status");
		await has("gold");
		await target().update(path, (object) => Object.assign(object.spec, { volumeAttributesClassName: "silver" }));
		await used(space, "silver", one);
		await used(space, "gold", one);
		await target().update(`/api/v1/persistentvolumes/${volumeName}`, (object) =>
			Object.assign(object.spec, { volumeAttributesClassName: "silver" }),
		);
		await has("silver");
		await used(space, "gold", none);
		await used(space, "silver", one);
		await target().delete(path);
		await target().delete(`/api/v1/persistentvolumes/${volumeName}`);
	});

	test.concurrent("are updated, patched, deleted as a collection, and have a status of their own", async () => {
		await using space = await target().namespace("quota-life");
		await quota(space, "life", { hard: { cpu: "1", memory: "500Mi" } });
		await target().update(space.core("resourcequotas", "life"), ({ spec }) => {
			spec.hard.memory = "750Mi";
		});
		await space.until(space.core("resourcequotas", "life"), ({ status }) => status.hard?.memory === "750Mi");
		await target().patch(`${space.core("resourcequotas", "life")}/status`, merge, {
			metadata: { annotations: { s: "1" } },
			status: { hard: { cpu: "2" } },
		});
		expect((await target().get(space.core("resourcequotas", "life"))).spec.hard.cpu).toBe("1");
		await space.until(space.core("resourcequotas", "life"), ({ status }) => status.hard?.cpu === "1");
		await target().patch(space.core("resourcequotas", "life"), strategic, {
			metadata: { labels: { life: "patched" } },
			spec: { hard: { memory: "800Mi" } },
		});
		await target().delete(`${space.core("resourcequotas")}?labelSelector=life%3Dpatched`);
		await space.gone(space.core("resourcequotas", "life"));
	});

	test.concurrent("limit ranges give pods their defaults and refuse what is out of bounds", async () => {
		await using space = await target().namespace("limits");
		const limits = [
			{
				type: "Container",
				min: { cpu: "50m", memory: "100Mi" },
				max: { cpu: "500m", memory: "500Mi" },
				default: { cpu: "500m", memory: "500Mi" },
				defaultRequest: { cpu: "100m", memory: "200Mi" },
			},
		];
		await target().post(space.core("limitranges"), { metadata: { name: "limit-range" }, spec: { limits } });
		const pod = await target().post(space.core("pods"), pauseOf("defaults"));
		expect(pod.spec.containers[0].resources).toEqual({
			requests: { cpu: "100m", memory: "200Mi" },
			limits: { cpu: "500m", memory: "500Mi" },
		});
		for (const resources of [{ requests: { cpu: "10m" } }, { requests: { cpu: "600m" }, limits: { cpu: "600m" } }]) {
			const out = podOf("out", { image: images.pause, resources });
			expect((await target().send("POST", space.core("pods"), out)).status).toBe(403);
		}
		await target().update(space.core("limitranges", "limit-range"), ({ spec }) => {
			spec.limits[0].min = { cpu: "9m", memory: "49Mi" };
		});
		await target().post(
			space.core("pods"),
			podOf("small", { image: images.pause, resources: { requests: { cpu: "10m", memory: "50Mi" } } }),
		);
	});
});
