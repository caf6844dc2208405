import { describe, expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import {
	condition,
	conformance,
	images,
	type Json,
	json,
	merge,
	type Namespace,
	podOf,
	strategic,
	templateOf,
} from "./harness.ts";

const rc = (name: string, replicas: number, label: string): Json => ({
	metadata: { name },
	spec: { replicas, selector: { name: label }, template: templateOf({ name: label }, { image: images.pause }) },
});
const pause = (name: string, metadata: Json = {}) => podOf(name, { image: images.pause }, {}, metadata);

conformance("API machinery", 2, (target) => {
	describe.concurrent("garbage collection", () => {
		const rcs = (space: Namespace, name = "") => space.core("replicationcontrollers", name);
		const pods = (space: Namespace, count: number) =>
			eventually(async () => {
				const items = await space.pods();
				expect(items).toHaveLength(count);
				return items;
			});

		test.concurrent("pods of a controller go with it, in the background", async () => {
			await using space = await target().namespace("gc-background");
			await target().post(rcs(space), rc("simpletest.rc", 2, "simpletest"));
			await pods(space, 2);
			const uid = (await target().get(rcs(space, "simpletest.rc"))).metadata.uid;
			await target().delete(rcs(space, "simpletest.rc"), { propagationPolicy: "Background", preconditions: { uid } });
			await pods(space, 0);
		});

		test.concurrent("are orphaned when that is asked for", async () => {
			await using space = await target().namespace("gc-orphan");
			await target().post(rcs(space), rc("simpletest.rc", 10, "simpletest"));
			await pods(space, 10);
			await target().delete(rcs(space, "simpletest.rc"), { propagationPolicy: "Orphan" });
			await space.gone(rcs(space, "simpletest.rc"));
			await new Promise((resolve) => setTimeout(resolve, 1000));
			for (const pod of await pods(space, 10)) expect(pod.metadata.ownerReferences ?? []).toEqual([]);
		});

		test.concurrent("a deployment's sets go or are orphaned with it", async () => {
			await using space = await target().namespace("gc-deploy");
			for (const propagationPolicy of ["Background", "Orphan"]) {
				await target().post(space.apps("deployments"), {
					metadata: { name: "simpletest" },
					spec: { replicas: 2, selector: { matchLabels: { app: "gc" } }, template: templateOf({ app: "gc" }, {}) },
				});
				await eventually(async () => expect((await target().get(space.apps("replicasets"))).items).toHaveLength(1));
				await pods(space, 2);
				await target().delete(space.apps("deployments", "simpletest"), { propagationPolicy });
				if (propagationPolicy === "Background") {
					await pods(space, 0);
					await eventually(async () => expect((await target().get(space.apps("replicasets"))).items).toEqual([]));
				} else await space.gone(space.apps("deployments", "simpletest"));
			}
			const { items } = await target().get(space.apps("replicasets"));
			expect(items.map((set: Json) => set.metadata.ownerReferences ?? [])).toEqual([[]]);
			await pods(space, 2);
		});

		test.concurrent("the owner stays until its pods are gone, when asked to", async () => {
			await using space = await target().namespace("gc-foreground");
			const object = rc("simpletest.rc", 4, "simpletest");
			object.spec.template.metadata.finalizers = ["example.com/wait"];
			await target().post(rcs(space), object);
			const items = await pods(space, 4);
			await target().delete(rcs(space, "simpletest.rc"), { propagationPolicy: "Foreground" });
			const kept = await target().get(rcs(space, "simpletest.rc"));
			expect(kept.metadata).toMatchObject({
				finalizers: ["foregroundDeletion"],
				deletionTimestamp: expect.any(String),
			});
			for (const { metadata } of items)
				await target().patch(space.core("pods", metadata.name), json, [{ op: "remove", path: "/metadata/finalizers" }]);
			await space.gone(rcs(space, "simpletest.rc"));
			expect(await space.pods()).toEqual([]);
		});

		test.concurrent("a pod with another valid owner stays", async () => {
			await using space = await target().namespace("gc-two-owners");
			await target().post(rcs(space), rc("to-be-deleted", 4, "one"));
			const other = await target().post(rcs(space), rc("to-stay", 0, "two"));
			const items = await pods(space, 4);
			const reference = { apiVersion: "v1", kind: "ReplicationController", name: "to-stay", uid: other.metadata.uid };
			const half = items.slice(0, 2).map((pod: Json) => pod.metadata.name);
			for (const name of half)
				await target().patch(space.core("pods", name), strategic, { metadata: { ownerReferences: [reference] } });
			await target().delete(rcs(space, "to-be-deleted"), { propagationPolicy: "Foreground" });
			await space.gone(rcs(space, "to-be-deleted"));
			const left = await pods(space, 2);
			expect(left.map((pod: Json) => pod.metadata.name).sort()).toEqual(half.sort());
			for (const pod of left) expect(pod.metadata.deletionTimestamp).toBeUndefined();
		});

		test.concurrent("a circle of owners is no obstacle", async () => {
			await using space = await target().namespace("gc-circle");
			const made = [];
			for (const name of ["pod1", "pod2", "pod3"]) made.push(await target().post(space.core("pods"), pause(name)));
			for (const [index, { metadata }] of made.entries()) {
				const owner = made[(index + 2) % 3].metadata;
				const ownerReferences = [
					{
						apiVersion: "v1",
						kind: "Pod",
						name: owner.name,
						uid: owner.uid,
						controller: true,
						blockOwnerDeletion: true,
					},
				];
				await target().patch(space.core("pods", metadata.name), strategic, { metadata: { ownerReferences } });
			}
			await target().delete(space.core("pods", "pod1"), { propagationPolicy: "Foreground" });
			await pods(space, 0);
		});
	});

	describe.concurrent("namespaces", () => {
		test.concurrent("take their pods and services along, and can be made again", async () => {
			const space = await target().namespace("ns-delete");
			const path = `/api/v1/namespaces/${space.name}`;
			await space.run(pause("test-pod"));
			await target().post(space.core("services"), {
				metadata: { name: "test-service" },
				spec: { ports: [{ port: 80 }] },
			});
			await target().delete(path);
			await space.gone(path);
			await target().post("/api/v1/namespaces", { metadata: { name: space.name } });
			expect((await target().get(space.core("pods"))).items).toEqual([]);
			expect((await target().get(space.core("services"))).items).toEqual([]);
			await target().delete(path);
		});

		test.concurrent("are patched and updated, have a status, and finalizers", async () => {
			await using space = await target().namespace("ns-patch");
			const path = `/api/v1/namespaces/${space.name}`;
			const patched = await target().patch(path, strategic, { metadata: { labels: { testLabel: "testValue" } } });
			expect(patched.metadata.labels).toMatchObject({
				testLabel: "testValue",
				"kubernetes.io/metadata.name": space.name,
			});
			expect((await target().get(`${path}/status`)).status.phase).toBe("Active");
			const status = {
				conditions: [{ type: "StatusPatch", status: "True", reason: "E2E", message: "Patched by an e2e test" }],
			};
			expect(
				condition(
					await target().patch(`${path}/status`, merge, { metadata: { annotations: { e2e: "yes" } }, status }),
					"StatusPatch",
				),
			).toMatchObject({ reason: "E2E" });
			const updated = await target().update(
				path,
				(object) =>
					object.status.conditions.push({ type: "StatusUpdate", status: "True", reason: "E2E", message: "Updated" }),
				"/status",
			);
			expect(condition(updated, "StatusUpdate")).toBeDefined();
			const finalize = async (change: (finalizers: string[]) => string[]) => {
				const object = await target().get(path);
				object.spec.finalizers = change(object.spec.finalizers);
				return (await target().put(`${path}/finalize`, object)).spec.finalizers;
			};
			expect(await finalize((all) => [...all, "e2e.example.com/fakeFinalizer"])).toContain(
				"e2e.example.com/fakeFinalizer",
			);
			expect(await finalize((all) => all.filter((name) => name === "kubernetes"))).toEqual(["kubernetes"]);
		});
	});

	describe.concurrent("watches and lists", () => {
		const map = (name: string, labels: Json = {}) => ({ metadata: { name, labels }, data: { mutation: "0" } });

		test.concurrent("see additions, changes and deletions, from any version, also as a label comes and goes", async () => {
			await using space = await target().namespace("watch");
			const all = space.core("configmaps");
			const made = await target().post(all, map("watched", { watched: "yes" }));
			const second = await target().update(space.core("configmaps", "watched"), (object) => {
				object.data.mutation = "1";
			});
			await target().update(space.core("configmaps", "watched"), (object) => {
				object.metadata.labels.watched = "no";
			});
			await target().update(space.core("configmaps", "watched"), (object) => {
				object.metadata.labels.watched = "yes";
			});
			await target().delete(space.core("configmaps", "watched"));
			const seen: string[] = [];
			await target().watch(`${all}?labelSelector=watched%3Dyes`, made.metadata.resourceVersion, ({ type, object }) => {
				seen.push(`${type} ${object.data.mutation}`);
				return seen.length === 4;
			});
			expect(seen).toEqual(["MODIFIED 1", "DELETED 1", "ADDED 1", "DELETED 1"]);
			const [last] = [
				await target().watch(
					`${all}?fieldSelector=metadata.name%3Dwatched`,
					second.metadata.resourceVersion,
					({ type }) => type === "DELETED",
				),
			];
			expect(Number(last.object.metadata.resourceVersion)).toBeGreaterThan(Number(second.metadata.resourceVersion));
		});

		test.concurrent("several watches see the same events in the same order", async () => {
			await using space = await target().namespace("watch-order");
			const all = space.core("configmaps");
			const { metadata } = await target().get(all);
			const follow = async () => {
				const versions: string[] = [];
				await target().watch(
					`${all}?labelSelector=order%3Dyes`,
					metadata.resourceVersion,
					({ object }) => versions.push(object.metadata.resourceVersion) === 30,
				);
				return versions;
			};
			const followers = [follow(), follow(), follow()];
			await Promise.all(
				Array.from({ length: 10 }, async (_, index) => {
					const name = `cm-${index}`;
					await target().post(all, map(name, { order: "yes" }));
					await target().patch(space.core("configmaps", name), merge, { data: { mutation: "1" } });
					await target().delete(space.core("configmaps", name));
				}),
			);
			const [first, ...others] = await Promise.all(followers);
			for (const other of others) expect(other).toEqual(first);
		});

		test.concurrent("a list may be streamed by a watch, with a bookmark at its end", async () => {
			await using space = await target().namespace("watch-list");
			await target().post(space.core("configmaps"), map("one"));
			const path = `${space.core("configmaps")}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
			const text = await target().kubectl("get", "--raw", `${path}&allowWatchBookmarks=true&timeoutSeconds=1`);
			expect(text).toMatch(/"type":"ADDED".*"name":"one"/);
			expect(text).toContain("k8s.io/initial-events-end");
		});

		test.concurrent("lists come in chunks, of one version, with the number of what remains", async () => {
			await using space = await target().namespace("chunks");
			const all = space.core("podtemplates");
			await Promise.all(
				Array.from({ length: 40 }, (_, index) =>
					target().post(all, {
						metadata: { name: `template-${String(index).padStart(4, "0")}` },
						template: {
							metadata: { labels: { foo: "bar" } },
							spec: { containers: [{ name: "test", image: "test2" }] },
						},
					}),
				),
			);
			const names: string[] = [];
			let next = "";
			let version: string | undefined;
			do {
				const list = await target().get(`${all}?limit=17${next === "" ? "" : `&continue=${encodeURIComponent(next)}`}`);
				expect(list.items.length).toBeLessThanOrEqual(17);
				version ??= list.metadata.resourceVersion;
				expect(list.metadata.resourceVersion).toBe(version);
				names.push(...list.items.map((item: Json) => item.metadata.name));
				next = list.metadata.continue ?? "";
				if (next !== "") expect(list.metadata.remainingItemCount).toBe(40 - names.length);
			} while (next !== "");
			expect(names).toEqual([...names].sort());
			expect(new Set(names).size).toBe(40);
			const stale = await target().send("GET", `${all}?limit=5&continue=nonsense`);
			expect(stale.status).toBe(400);
		});

		test.concurrent("tables are made of lists, and 406 is the answer where there are none", async () => {
			await using space = await target().namespace("tables");
			await space.run(pause("pod-1"));
			const Accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
			const table = await target().send("GET", space.core("pods"), undefined, { Accept });
			expect(table.body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
			expect(table.body.columnDefinitions[0]).toMatchObject({ name: "Name", type: "string" });
			expect(table.body.rows[0].cells[0]).toBe("pod-1");
			const review = {
				apiVersion: "authorization.k8s.io/v1",
				kind: "SelfSubjectAccessReview",
				spec: { nonResourceAttributes: { path: "/", verb: "get" } },
			};
			const refused = await target().send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, {
				Accept,
			});
			expect(refused.status).toBe(406);
		});
	});

	test.concurrent("discovery: each group has a preferred version and resources; the aggregated form", async () => {
		const { groups } = await target().get("/apis");
		expect(groups.length).toBeGreaterThan(10);
		for (const { name, preferredVersion, versions } of groups) {
			const group = await target().get(`/apis/${name}`);
			expect(group.preferredVersion).toEqual(preferredVersion);
			expect(versions.map((version: Json) => version.groupVersion)).toContain(preferredVersion.groupVersion);
			const list = await target().get(`/apis/${preferredVersion.groupVersion}`);
			expect(list.groupVersion).toBe(preferredVersion.groupVersion);
			expect(list.resources.length).toBeGreaterThan(0);
		}
		const Accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
		const { body, contentType } = await target().send("GET", "/apis", undefined, { Accept });
		expect(contentType).toContain("as=APIGroupDiscoveryList");
		expect(
			body.items.flatMap((item: Json) =>
				item.versions.flatMap((version: Json) => version.resources.map((resource: Json) => resource.resource)),
			),
		).toEqual(expect.arrayContaining(["deployments", "jobs", "cronjobs", "statefulsets", "daemonsets"]));
	});

	test.concurrent("field validation: unknown and duplicate fields are refused, warned of, or ignored", async () => {
		await using space = await target().namespace("validation");
		const send = async (mode: string, text: string) =>
			target().tryKubectl(["--namespace", space.name, "create", `--validate=${mode}`, "-f", "-"], text);
		const manifest = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME","unknownMeta":"x"},"spec":{"unknown1":"val1","replicas":1,"replicas":1,"selector":{"matchLabels":{"app":"nginx"}},"template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[{"name":"nginx","image":"pause"}]}}}}`;
		const strict = await send("strict", manifest.replace("NAME", "strict"));
		expect(strict.code).not.toBe(0);
		expect(strict.stderr).toMatch(
			/strict decoding error.*unknown field "metadata\.unknownMeta".*unknown field "spec\.unknown1"/s,
		);
		const warn = await send("warn", manifest.replace("NAME", "warn"));
		expect(warn.stderr).toMatch(/unknown field "spec\.unknown1"/);
		expect(warn.code).toBe(0);
		expect((await send("ignore", manifest.replace("NAME", "ignore"))).code).toBe(0);
	});

	describe.concurrent("quotas", () => {
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
				["replicationcontrollers", rc("x", 0, "x"), { replicationcontrollers: "1" }],
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
			await target().post(space.core("pods"), pause("best"));
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
			const pod = await target().post(space.core("pods"), pause("defaults"));
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

	describe.concurrent("kinds with nothing behind them live as the API says", () => {
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
			[
				"/apis/coordination.k8s.io/v1",
				"leases",
				{ spec: { holderIdentity: "holder", leaseDurationSeconds: 30 } },
				true,
			],
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
			await target().watch(
				`${all}?${selector}`,
				event.object.metadata.resourceVersion,
				({ type }) => type === "DELETED",
			);
			await target().post(all, object("two"));
			await target().delete(`${all}?${selector}`);
			await eventually(async () => expect((await target().get(`${all}?${selector}`)).items).toEqual([]));
		});
	});

	test.concurrent("service accounts: the root CA map returns, tokens are mounted unless refused, and name their pod", async () => {
		await using space = await target().namespace("accounts");
		await target().delete(space.core("configmaps", "kube-root-ca.crt"));
		const returned = await space.until(
			space.core("configmaps", "kube-root-ca.crt"),
			({ data }) => data["ca.crt"] !== undefined,
		);
		await target().update(space.core("configmaps", "kube-root-ca.crt"), (object) => {
			object.data = { "ca.crt": "" };
		});
		await space.until(
			space.core("configmaps", "kube-root-ca.crt"),
			({ data }) => data["ca.crt"] === returned.data["ca.crt"],
		);
		const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
		await space.run(podOf("mounted", { image: images.busybox, command: ["sleep", "600"] }));
		expect(await space.exec("mounted", `cat ${folder}/namespace`)).toBe(space.name);
		expect(await space.exec("mounted", `cat ${folder}/ca.crt`)).toBe(returned.data["ca.crt"]);
		const token = await space.exec("mounted", `cat ${folder}/token`);
		const review = await target().post("/apis/authentication.k8s.io/v1/tokenreviews", {
			apiVersion: "authentication.k8s.io/v1",
			kind: "TokenReview",
			spec: { token },
		});
		expect(review.status).toMatchObject({
			authenticated: true,
			user: {
				username: `system:serviceaccount:${space.name}:default`,
				groups: expect.arrayContaining([
					"system:serviceaccounts",
					`system:serviceaccounts:${space.name}`,
					"system:authenticated",
				]),
			},
		});
		await target().post(space.core("serviceaccounts"), {
			metadata: { name: "nomount" },
			automountServiceAccountToken: false,
		});
		for (const [serviceAccountName, own, mounted] of [
			["default", undefined, true],
			["default", false, false],
			["nomount", undefined, false],
			["nomount", true, true],
		] as const) {
			const pod = await target().post(space.core("pods"), {
				metadata: { generateName: "pod-" },
				spec: {
					serviceAccountName,
					...(own === undefined ? {} : { automountServiceAccountToken: own }),
					containers: [{ name: "a", image: images.pause }],
				},
			});
			const mounts = pod.spec.containers[0].volumeMounts ?? [];
			expect(mounts.some((mount: Json) => mount.mountPath === folder)).toBe(mounted);
		}
		const projected = {
			name: "token",
			projected: { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 600 } }] },
		};
		const output = await space.output(
			podOf(
				"projected",
				{
					args: ["mounttest", "--file_content=/var/t/token", "--file_mode=/var/t/token"],
					volumeMounts: [{ name: "token", mountPath: "/var/t" }],
				},
				{ volumes: [projected] },
			),
		);
		expect(output).toContain('content of file "/var/t/token": ey');
		const keys = await target().get("/openid/v1/jwks");
		expect(keys.keys.length).toBeGreaterThan(0);
		expect(await target().get("/.well-known/openid-configuration")).toMatchObject({
			issuer: expect.stringMatching(/^https:/),
			jwks_uri: expect.any(String),
		});
	});

	test.concurrent("nodes: created, patched, listed, updated, deleted", async () => {
		const name = `e2e-node-${Date.now()}`;
		await target().post("/api/v1/nodes", {
			metadata: { name },
			status: { phase: "Running", conditions: [{ type: "Ready", status: "True", message: "e2e", reason: "E2E" }] },
		});
		const path = `/api/v1/nodes/${name}`;
		await target().patch(path, strategic, { metadata: { labels: { e2e: "patched" } } });
		expect((await target().get("/api/v1/nodes?labelSelector=e2e%3Dpatched")).items).toHaveLength(1);
		await target().update(path, (node) => {
			node.metadata.labels.e2e = "updated";
		});
		await target().delete("/api/v1/nodes?labelSelector=e2e%3Dupdated");
		expect((await target().send("GET", path)).status).toBe(404);
	});
});
