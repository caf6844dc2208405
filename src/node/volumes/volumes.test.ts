import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClusterTrustBundle, ClusterTrustBundleProjection, Pod, Volume } from "../../kinds/generated/types.ts";
import { writeAtomically } from "./atomic-writer.ts";
import { hostsFile, resolverFile } from "./etc-files.ts";
import { prepareHostPath } from "./host-path.ts";
import { type PayloadSources, volumePayload } from "./payload.ts";
import { viewPath } from "./view-path.ts";

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "cox-volumes-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const pod = (spec: Partial<Pod["spec"]> = {}): Pod => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: {
		name: "web-0",
		namespace: "shop",
		uid: "u1",
		resourceVersion: "1",
		creationTimestamp: "",
		labels: { app: "web" },
	},
	spec: { containers: [], ...spec },
});

const payload = (files: Record<string, string>) =>
	new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text) }]));

describe("atomic writer", () => {
	test("shows files through one link, and moves it when something changes", async () => {
		await writeAtomically(folder, payload({ a: "1", "sub/b": "2" }), { mode: 0o640, sequence: "one" });
		expect(await readFile(join(folder, "sub/b"), "utf8")).toBe("2");
		expect(await readlink(join(folder, "a"))).toBe("..data/a");
		expect((await stat(join(folder, "a"))).mode & 0o777).toBe(0o640);
		expect(await writeAtomically(folder, payload({ a: "1", "sub/b": "2" }), { mode: 0o640, sequence: "two" })).toBe(
			false,
		);
		expect(await writeAtomically(folder, payload({ a: "3" }), { mode: 0o640, sequence: "three" })).toBe(true);
		expect((await readdir(folder)).sort()).toEqual(["..data", "..three", "a"]);
		expect(await readFile(join(folder, "a"), "utf8")).toBe("3");
	});
});

describe("a pod that reaches the node's directories of volumes", () => {
	test("gets nothing written elsewhere when files are written or replaced", async () => {
		const [volume, elsewhere] = [join(folder, "volume"), join(folder, "elsewhere")];
		await mkdir(elsewhere);
		await writeAtomically(volume, payload({ a: "1", "sub/b": "2" }), { mode: 0o644, sequence: "one" });
		await rm(join(volume, "..one"), { recursive: true });
		await symlink(elsewhere, join(volume, "..one"));
		await symlink(elsewhere, join(volume, "..two"));
		const write = (sequence: string) => writeAtomically(volume, payload({ a: "3" }), { mode: 0o644, sequence });
		await expect(write("two")).rejects.toThrow("ENOTDIR");
		await write("three");
		expect(await readFile(join(volume, "a"), "utf8")).toBe("3");
		await rm(volume, { recursive: true });
		await symlink(elsewhere, volume);
		await expect(write("four")).rejects.toThrow("ENOTDIR");
		expect(await readdir(elsewhere)).toEqual([]);
	});
});

const anchors = (names: string[]) =>
	names.map((name) => `-----BEGIN CERTIFICATE-----\n${btoa(name)}\n-----END CERTIFICATE-----\n`).join("");
/** The only field that is used here. */
const bundle = (names: string[]) => ({ spec: { trustBundle: anchors(names) } }) as ClusterTrustBundle;

describe("volume payload", () => {
	const sources: PayloadSources = {
		references: {
			configMap: async (_namespace, name) => (name === "cm" ? { data: { k: "v", l: "w" } } : undefined),
			trustBundles: async ({ name, signerName }) =>
				name === "absent" || signerName === "absent" ? [] : [bundle(["B", "A"]), bundle(["A"])],
			secret: async () => ({ data: { s: Buffer.from("secret").toString("base64") } }),
		},
		fields: { nodeName: "n", hostAddresses: [], podAddresses: [], allocatable: new Map() },
		token: async () => "token",
	};
	const files = async (volume: Omit<Volume, "name">) => {
		const found = await volumePayload(pod(), { name: "v", ...volume }, sources);
		return Object.fromEntries([...(found?.payload ?? [])].map(([path, { data }]) => [path, data.toString()]));
	};
	test("projects several sources into one volume", async () => {
		const projected = {
			sources: [
				{ configMap: { name: "cm", items: [{ key: "k", path: "deep/k" }] } },
				{ secret: { name: "sec" } },
				{ serviceAccountToken: { path: "token" } },
				{ downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
			],
		};
		expect(await files({ projected })).toEqual({ "deep/k": "v", s: "secret", token: "token", labels: 'app="web"' });
	});
	test("trust bundles are one file with each anchor once, and may be missing where they are optional", async () => {
		const read = (clusterTrustBundle: ClusterTrustBundleProjection) =>
			files({ projected: { sources: [{ clusterTrustBundle }] } });
		expect(await read({ signerName: "example.com/a", path: "ca.pem" })).toEqual({ "ca.pem": anchors(["A", "B"]) });
		expect(await read({ name: "absent", path: "ca.pem", optional: true })).toEqual({ "ca.pem": "" });
		await expect(read({ name: "absent", path: "ca.pem" })).rejects.toThrow('clustertrustbundle "absent" not found');
		await expect(read({ signerName: "absent", path: "ca.pem" })).rejects.toThrow("matched zero ClusterTrustBundles");
	});
	test("waits for a config map unless it is optional", async () => {
		await expect(files({ configMap: { name: "absent" } })).rejects.toThrow('configmap "absent" not found');
		expect(await files({ configMap: { name: "absent", optional: true } })).toEqual({});
		await expect(files({ configMap: { name: "cm", items: [{ key: "x", path: "x" }] } })).rejects.toThrow(
			"references non-existent configmap key: x",
		);
	});
	test("a token is for the user of the containers and the group of the pod, where they are known", async () => {
		const projected = { sources: [{ serviceAccountToken: { path: "token" } }] };
		const owner = async (spec: Partial<Pod["spec"]>) => {
			const { payload: made } = (await volumePayload(pod(spec), { name: "v", projected }, sources)) ?? {};
			const { mode, user } = made?.get("token") ?? {};
			return { mode, user };
		};
		const container = (runAsUser?: number) => ({
			name: "c",
			...(runAsUser === undefined ? {} : { securityContext: { runAsUser } }),
		});
		expect(await owner({ containers: [container()] })).toEqual({});
		const containers = [container(7), container(7)];
		expect(await owner({ containers })).toEqual({ mode: 0o600, user: 7 });
		expect(await owner({ containers, initContainers: [container(8)] })).toEqual({});
		expect(await owner({ containers: [container()], securityContext: { runAsUser: 9 } })).toEqual({
			mode: 0o600,
			user: 9,
		});
		expect(await owner({ containers: [container()], securityContext: { fsGroup: 9 } })).toEqual({ mode: 0o600 });
	});
	test("never writes outside its volume", async () => {
		await expect(files({ configMap: { name: "cm", items: [{ key: "k", path: "../k" }] } })).rejects.toThrow(
			"invalid path",
		);
	});
});

describe("a node's view", () => {
	test("follows links as the node sees them, and never leaves the view", async () => {
		await mkdir(join(folder, "run/app"), { recursive: true });
		await mkdir(join(folder, "var"));
		await symlink("/run", join(folder, "var/run"));
		await symlink("../../../etc", join(folder, "run/up"));
		expect(await viewPath(folder, "/var/run/app/x")).toBe(join(folder, "run/app/x"));
		expect(await viewPath(folder, "/run/up/passwd")).toBe(join(folder, "etc/passwd"));
		expect(await viewPath("", "/usr/../usr")).toBe("/usr");
	});
});

test("hostPath types are held to", async () => {
	prepareHostPath("", join(folder, "made/here"), "DirectoryOrCreate");
	prepareHostPath(folder, "/file", "FileOrCreate");
	await writeFile(join(folder, "plain"), "");
	expect(() => prepareHostPath(folder, "/plain", "Directory")).toThrow("is not a directory");
	expect(() => prepareHostPath(folder, "/absent", "File")).toThrow("is not a file");
	expect(() => prepareHostPath(folder, "/made/here", "Directory")).not.toThrow();
	await symlink("/made", join(folder, "link"));
	prepareHostPath(folder, "/link/there", "");
	expect(existsSync(join(folder, "made/there"))).toBe(true);
});

describe("files of /etc", () => {
	test("name the pod with its subdomain, and its aliases", () => {
		const spec = { subdomain: "web", hostAliases: [{ ip: "1.2.3.4", hostnames: ["a", "b"] }] };
		const text = hostsFile(pod(spec), ["10.244.1.2"], "cluster.local");
		expect(text).toContain("10.244.1.2\tweb-0.web.shop.svc.cluster.local\tweb-0\n");
		expect(text).toContain("1.2.3.4\ta\tb\n");
	});
	const node = "search corp.example\nnameserver 9.9.9.9\noptions timeout:1\n";
	test("lead to the cluster's DNS with its search domains", () => {
		expect(resolverFile(pod(), node, "10.96.0.10", "cluster.local")).toBe(
			"search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.96.0.10\noptions ndots:5\n",
		);
	});
	test.each([
		[{ dnsPolicy: "Default" }, node],
		[{ hostNetwork: true }, node],
		[
			{ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], options: [{ name: "ndots", value: "2" }] } },
			"nameserver 1.1.1.1\noptions ndots:2\n",
		],
	])("follow the policy %j", (spec, expected) => {
		expect(resolverFile(pod(spec), node, "10.96.0.10", "cluster.local")).toBe(expected);
	});
	test("merge the pod's own settings", () => {
		const dnsConfig = { searches: ["extra.example"], options: [{ name: "ndots", value: "2" }, { name: "edns0" }] };
		expect(resolverFile(pod({ dnsConfig }), "", "10.96.0.10", "cluster.local")).toContain(
			"cluster.local extra.example\n",
		);
		expect(resolverFile(pod({ dnsConfig }), "", "10.96.0.10", "cluster.local")).toContain("options ndots:2 edns0\n");
	});
});
