import { describe, expect, test } from "vitest";
import { conformance, type Json, merge, strategic } from "./harness.ts";
import { images, pauseOf, podOf } from "./objects.ts";

conformance("API machinery", "shared", (target) => {
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
			await space.run(pauseOf("pod-1"));
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
