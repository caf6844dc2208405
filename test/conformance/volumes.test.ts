/** Volumes: what they show, with which modes and owners, and that they follow what they show. */
import { expect, test } from "vitest";
import { makeAuthority } from "../../src/cluster/pki/make-certificates.ts";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, type Namespace, strategic } from "./harness.ts";
import { images, podOf } from "./objects.ts";

const data = (text: string) => Buffer.from(text).toString("base64");

/** A pod whose only container describes and prints a file of the volume at /v. */
function reader(name: string, volume: Json, file: string, spec: Json = {}): Json {
	const args = ["mounttest", `--file_mode=/v/${file}`, `--file_content=/v/${file}`];
	return podOf(
		name,
		{ args, volumeMounts: [{ name: "v", mountPath: "/v" }] },
		{ ...spec, volumes: [{ name: "v", ...volume }] },
	);
}

const shown = (file: string, mode: string, content: string) =>
	`mode of file "/v/${file}": ${mode}\ncontent of file "/v/${file}": ${content}\n`;

const configMap = (space: Namespace, name: string, entries: Json) =>
	space.target.post(space.core("configmaps"), { metadata: { name }, data: entries });
const secret = (space: Namespace, name: string, entries: Json) =>
	space.target.post(space.core("secrets"), {
		metadata: { name },
		data: Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, data(String(value))])),
	});

conformance("volumes", "shared", (target) => {
	const items = [{ key: "data-1", path: "deep/path" }];
	const moded = [{ key: "data-1", path: "deep/path", mode: 0o400 }];
	const sources: [string, (extra: Json) => Json][] = [
		["configMap", (extra) => ({ configMap: { name: "c", ...extra } })],
		["secret", (extra) => ({ secret: { secretName: "s", ...extra } })],
		[
			"projected configMap",
			({ defaultMode, ...extra }) => ({
				projected: { ...(defaultMode && { defaultMode }), sources: [{ configMap: { name: "c", ...extra } }] },
			}),
		],
		[
			"projected secret",
			({ defaultMode, ...extra }) => ({
				projected: { ...(defaultMode && { defaultMode }), sources: [{ secret: { name: "s", ...extra } }] },
			}),
		],
	];
	test.concurrent.each(sources)("%s: modes, mappings, users and groups", async (_, volume) => {
		await using space = await target().namespace("modes");
		await configMap(space, "c", { "data-1": "value-1" });
		await secret(space, "s", { "data-1": "value-1" });
		const user = { securityContext: { runAsUser: 1000, fsGroup: 1001 } };
		const cases: [string, string, Json, string, Json?][] = [
			["plain", "data-1", {}, "-rw-r--r--"],
			["mode", "data-1", { defaultMode: 0o400 }, "-r--------"],
			["items", "deep/path", { items }, "-rw-r--r--"],
			["item-mode", "deep/path", { items: moded }, "-r--------"],
			["user", "data-1", { defaultMode: 0o440 }, "-r--r-----", user],
		];
		await Promise.all(
			cases.map(async ([name, file, extra, mode, spec]) => {
				const output = await space.output(reader(name, volume(extra), file, spec));
				expect([name, output]).toEqual([name, shown(file, mode, "value-1")]);
			}),
		);
	});

	test.concurrent("follow changes, and optional sources as they come and go", async () => {
		await using space = await target().namespace("updates");
		await configMap(space, "changes", { k: "before" });
		await configMap(space, "goes", { k: "there" });
		await secret(space, "stays", { k: "secret" });
		const optional = (name: string) => ({ name, configMap: { name, optional: true } });
		const mount = (name: string) => ({ name, mountPath: `/v/${name}` });
		await space.run(
			podOf(
				"follower",
				{
					image: images.busybox,
					command: ["sleep", "1000"],
					volumeMounts: ["changes", "goes", "comes", "all"].map(mount),
				},
				{
					volumes: [
						{ name: "changes", configMap: { name: "changes" } },
						optional("goes"),
						optional("comes"),
						{
							name: "all",
							projected: {
								sources: [
									{ configMap: { name: "changes", items: [{ key: "k", path: "map" }] } },
									{ secret: { name: "stays", items: [{ key: "k", path: "secret" }] } },
									{ downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
								],
							},
						},
					],
				},
			),
		);
		const see = () => space.exec("follower", "cd /v; for f in */*; do echo $f $(cat $f); done");
		expect(await see()).toBe("all/map before\nall/name follower\nall/secret secret\nchanges/k before\ngoes/k there\n");
		await target().patch(space.core("configmaps", "changes"), strategic, { data: { k: "after" } });
		await target().delete(space.core("configmaps", "goes"));
		await configMap(space, "comes", { k: "new" });
		await eventually(async () =>
			expect(await see()).toBe("all/map after\nall/name follower\nall/secret secret\nchanges/k after\ncomes/k new\n"),
		);
	});

	test.concurrent("an immutable ConfigMap or Secret is neither changed nor made mutable again", async () => {
		await using space = await target().namespace("immutable");
		for (const kind of ["configmaps", "secrets"]) {
			const made = { metadata: { name: "fixed" }, data: { k: data("v") }, immutable: true };
			await target().post(space.core(kind), made);
			for (const patch of [{ data: { k: data("w") } }, { immutable: false }]) {
				const headers = { "Content-Type": strategic };
				const { status } = await target().send("PATCH", space.core(kind, "fixed"), patch, headers);
				expect([kind, status]).toEqual([kind, 422]);
			}
		}
	});

	test.concurrent("an emptyDir is open to all, on disk and in memory, and shared by the containers", async () => {
		await using space = await target().namespace("emptydir");
		const volumeMounts = [{ name: "v", mountPath: "/v" }];
		await Promise.all(
			["", "Memory"].map(async (medium) => {
				const volumes = [{ name: "v", emptyDir: { medium } }];
				const name = `medium-${medium.toLowerCase() || "disk"}`;
				const args = ["mounttest", "--new_file_0666=/v/file", "--file_perm=/v/file", "--fs_type=/v", "--file_mode=/v"];
				const output = await space.output(
					podOf(name, { args, volumeMounts, securityContext: { runAsUser: 1001 } }, { volumes }),
				);
				expect(output).toContain('perms of file "/v/file": -rw-rw-rw-');
				if (medium === "Memory") expect(output).toContain('mount type of "/v": tmpfs');
				expect(output).toContain(`mode of file "/v": d${medium === "Memory" ? "t" : ""}rwxrwxrwx`);
			}),
		);
		const writer = { name: "writer", image: images.busybox, command: ["sh", "-c", "echo shared > /v/f"], volumeMounts };
		const script = "until test -s /v/f; do sleep 0.1; done; cat /v/f";
		const reading = podOf(
			"shared",
			{ image: images.busybox, command: ["sh", "-c", script], volumeMounts },
			{ volumes: [{ name: "v", emptyDir: {} }], containers: [writer] },
		);
		await target().post(space.core("pods"), reading);
		await space.ended("shared");
		expect(await space.kubectl("logs", "shared", "-c", "main")).toBe("shared\n");
	});

	test.concurrent("a path below a volume is mounted: a directory made for it, a file, read-only", async () => {
		await using space = await target().namespace("subpath");
		await configMap(space, "c", { file: "of the map" });
		const script =
			"echo mine > /made/x; cat /whole/sub/x /one/file; if echo no > /fixed/y; then echo written; else echo kept; fi";
		const output = await space.output(
			podOf(
				"below",
				{
					image: images.busybox,
					command: ["sh", "-c", `${script} 2>/dev/null`],
					volumeMounts: [
						{ name: "e", mountPath: "/whole" },
						{ name: "e", mountPath: "/made", subPath: "sub" },
						{ name: "e", mountPath: "/fixed", subPath: "sub", readOnly: true },
						{ name: "c", mountPath: "/one/file", subPath: "file" },
					],
				},
				{
					volumes: [
						{ name: "e", emptyDir: {} },
						{ name: "c", configMap: { name: "c" } },
					],
				},
			),
		);
		expect(output).toBe("mine\nof the mapkept\n");
	});

	test.concurrent("a claim is bound when its first pod comes, keeps its data, and is protected while in use", async () => {
		await using space = await target().namespace("claims");
		await target().post(space.core("persistentvolumeclaims"), {
			metadata: { name: "data" },
			spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
		});
		const pod = (name: string, script: string) =>
			podOf(
				name,
				{
					image: images.busybox,
					command: ["sh", "-c", script],
					volumeMounts: [{ name: "v", mountPath: "/v" }],
				},
				{ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] },
			);
		expect((await target().get(space.core("persistentvolumeclaims", "data"))).status.phase).toBe("Pending");
		await space.output(pod("first", "echo kept > /v/f"));
		await space.run(pod("second", "cat /v/f; sleep 1000"));
		expect(await space.kubectl("logs", "second")).toBe("kept\n");
		const claim = space.core("persistentvolumeclaims", "data");
		await target().delete(claim);
		const { metadata, status } = await target().get(claim);
		expect(metadata.deletionTimestamp).toEqual(expect.any(String));
		expect(status.phase).toBe("Bound");
		await target().delete(space.core("pods", "second"));
		await target().delete(space.core("pods", "first"));
		await space.gone(claim);
	});

	test.concurrent("trust bundles are united in one file, which follows them", async () => {
		await using space = await target().namespace("trust");
		const bundles = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles";
		const validity = { notBeforeMs: Date.now() - 1000, notAfterMs: Date.now() + 1e9 };
		const root = (commonName: string) => makeAuthority({ commonName }, validity).cert;
		const signerName = `${space.name}.example/trust`;
		const add = (name: string, trustBundle: string) =>
			target().post(bundles, {
				metadata: { name: `${signerName.replace("/", ":")}:${name}`, labels: { use: space.name } },
				spec: { signerName, trustBundle },
			});
		await add("one", root("one"));
		const labelSelector = { matchLabels: { use: space.name } };
		const projected = { sources: [{ clusterTrustBundle: { signerName, labelSelector, path: "ca.pem" } }] };
		const volumeMounts = [{ name: "v", mountPath: "/v" }];
		await space.run(podOf("reader", { args: ["pause"], volumeMounts }, { volumes: [{ name: "v", projected }] }));
		const count = () => space.exec("reader", "grep -c BEGIN /v/ca.pem");
		expect(await count()).toBe("1\n");
		await add("two", root("two"));
		await eventually(async () => expect(await count()).toBe("2\n"));
		await target().delete(`${bundles}?fieldSelector=spec.signerName%3D${encodeURIComponent(signerName)}`);
	});
});
