/** Pulls from registries: real ones, and some that are ill. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeWith } from "../core/testing/programs.ts";
import { systemClock } from "../core/time/clock.ts";
import type { Credential } from "./credentials/credential.ts";
import { mediaTypes } from "./model/manifest.ts";
import { pullImage } from "./pull.ts";
import { parseRegistries } from "./registry/registries-file.ts";
import { ImageStore } from "./store/store.ts";
import { StoreWriter } from "./store/store-writer.ts";
import { type FakeRegistry, startFakeRegistry } from "./testing/fake-registry.ts";
import { blobOf, dir, file, imageOf, json, tarOf, withManifest } from "./testing/image-builder.ts";
import { startRegistry, type TestRegistry } from "./testing/registry.ts";
import { zstdCompress } from "./testing/zstd.ts";

const never = new AbortController().signal;
let directory: string;
let writer: StoreWriter;
let registriesText: string;
const started: { stop(): Promise<void> }[] = [];
beforeEach(() => {
	directory = mkdtempSync(`${tmpdir()}/cox-pull-`);
	writer = new StoreWriter(ImageStore.open(`${directory}/store`));
	registriesText = "{}";
});
afterEach(async () => {
	for (const one of started.splice(0)) await one.stop();
	await writer.remove([directory]);
});

const pull = (image: string, credentials: readonly Credential[] = [], signal = never, into = writer) =>
	pullImage(
		{
			writer: into,
			registries: () => parseRegistries(registriesText),
			dockerDirectory: `${directory}/docker`,
			clock: systemClock(),
		},
		{ image, credentials, signal },
	);
const small = imageOf([tarOf([dir("d"), file("d/x", "content")])], { Cmd: ["x"] });
const fake = async (...args: Parameters<typeof startFakeRegistry>): Promise<FakeRegistry> => {
	const registry = await startFakeRegistry(...args);
	started.push(registry);
	return registry;
};
const leftInTmp = () => readdirSync(`${directory}/store/tmp`);

describe("pulls from registries that are ill", () => {
	const large = imageOf(
		[tarOf([file("random", Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 251)))])],
		{},
		{ type: "tar", compress: (layer) => layer },
	);

	it("continue where a connection was lost", async () => {
		let cuts = 0;
		const registry = await fake(large, (request, response) => {
			if (!request.url?.includes(large.layers[0]?.digest ?? "") || ++cuts > 2) return false;
			const from = Number(/=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
			response.writeHead(from > 0 ? 206 : 200, { "content-length": (large.layers[0]?.size ?? 0) - from });
			response.write(large.layers[0]?.body.subarray(from, from + 100_000), () => response.destroy());
			return true;
		});
		await pull(`${registry.host}/app`);
		const ranges = registry.requests.flatMap(({ range }) => range ?? []);
		expect(ranges).toHaveLength(2);
	});

	it("refuse what has another digest, and leave nothing behind", async () => {
		const registry = await fake(small, (request, response) => {
			if (!request.url?.includes(small.layers[0]?.digest ?? "")) return false;
			response.end(Buffer.alloc(small.layers[0]?.size ?? 0, "x"));
			return true;
		});
		await expect(pull(`${registry.host}/app`)).rejects.toMatchObject({ kind: "invalid" });
		expect([writer.store.list(), leftInTmp(), readdirSync(`${directory}/store/layers`)]).toEqual([[], [], []]);
		await expect(pull(`${registry.host}/app@sha256:${"0".repeat(64)}`)).rejects.toThrow("not what its digest says");
	});

	it("wait as long as a registry asks for, and say so if that is long", async () => {
		let answers = 0;
		const registry = await fake(small, (_request, response) => {
			if (++answers > 1) return false;
			response.writeHead(429, { "retry-after": "0" }).end();
			return true;
		});
		await pull(`${registry.host}/app`);
		const limited = await fake(small, (_request, response) => {
			response
				.writeHead(429, { "retry-after": "3600" })
				.end(json({ errors: [{ code: "TOOMANYREQUESTS", message: "pull rate limit" }] }));
			return true;
		});
		await expect(pull(`${limited.host}/app`)).rejects.toThrow(
			"429 Too Many Requests: TOOMANYREQUESTS: pull rate limit; it asks to wait 3600 s",
		);
	});

	it("get tokens, renew them, and send neither them nor passwords to other hosts", async () => {
		const elsewhere = await fake(small);
		let tokens = 0;
		const registry = await fake(small, (request, response) => {
			const { url = "", headers } = request;
			if (url.startsWith("/token")) {
				response.end(json({ access_token: `token-${++tokens}` }));
				return true;
			}
			// The first token expires before the layer is pulled.
			const expected = url.includes("/blobs/") ? "Bearer token-2" : "Bearer token-1";
			if (headers.authorization !== expected) {
				const realm = `http://${headers.host}/token`;
				response
					.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s",scope="repository:app:pull"` })
					.end();
				return true;
			}
			if (!url.includes("/blobs/")) return false;
			response.writeHead(307, { location: `http://${elsewhere.host}${url}` }).end();
			return true;
		});
		await pull(`${registry.host}/app`, [{ username: "me", password: "secret" }]);
		const asked = registry.requests.filter(({ path }) => path.startsWith("/token"));
		expect(asked[0]?.path).toBe("/token?service=s&scope=repository%3Aapp%3Apull&account=me");
		expect(asked[0]?.authorization).toBe(`Basic ${Buffer.from("me:secret").toString("base64")}`);
		expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
	});

	it("send an identity token to no other host", async () => {
		const elsewhere = await fake(small);
		const registry = await fake(small, (request, response) => {
			const origin = `http://${request.headers.host}`;
			if (request.url === "/token") response.writeHead(307, { location: `http://${elsewhere.host}/token` }).end();
			else response.writeHead(401, { "www-authenticate": `Bearer realm="${origin}/token",service="s"` }).end();
			return true;
		});
		const identity = { username: "", password: "", identityToken: "secret" };
		await expect(pull(`${registry.host}/app`, [identity])).rejects.toThrow("redirects a request with credentials");
		expect(elsewhere.requests).toEqual([]);
	});

	it("ask no other host for a token in plain text, and nothing of this machine for a registry elsewhere", async () => {
		let realm = "http://tokens.example/token";
		const registry = await fake(small, (_request, response) => {
			response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="s"` }).end();
			return true;
		});
		await expect(pull(`${registry.host}/app`)).rejects.toThrow("which is not safe");
		registriesText = `mirrors: { r.example: { endpoint: ["http://${registry.host}"] } }`;
		realm = "ftp://tokens.example/token";
		await expect(pull("r.example/app")).rejects.toThrow("asks for a token of");
	});

	it("end when nobody wants the image any more, and leave nothing behind", async () => {
		const cancel = new AbortController();
		const registry = await fake(large, (request, response) => {
			if (!request.url?.includes(large.layers[0]?.digest ?? "")) return false;
			response.writeHead(200).write(large.layers[0]?.body.subarray(0, 100_000), () => cancel.abort());
			return true;
		});
		await expect(pull(`${registry.host}/app`, [], cancel.signal)).rejects.toThrow("aborted");
		expect([writer.store.list(), leftInTmp()]).toEqual([[], []]);
	});

	it("of two processes download a layer once", async () => {
		const registry = await fake(large);
		const other = new StoreWriter(ImageStore.open(`${directory}/store`));
		await Promise.all([pull(`${registry.host}/app`), pull(`${registry.host}/app`, [], never, other)]);
		const digest = large.layers[0]?.digest ?? "";
		expect(registry.requests.filter(({ path }) => path.includes(digest))).toHaveLength(1);
	});

	it("say why an image is not supported", async () => {
		const cases: [ReturnType<typeof imageOf>, string][] = [
			[{ ...small, manifest: blobOf("application/json", json({ schemaVersion: 1, fsLayers: [] })) }, "schema 1"],
			[{ ...small, manifest: blobOf("text/html", Buffer.from("<html>")) }, "is not a JSON object"],
			[
				withManifest(small.config, [blobOf("application/vnd.cncf.helm.chart.content.v1.tar+gzip", Buffer.from("x"))]),
				"not that of an image for containers",
			],
			[withManifest(small.config, []), "the image has 0 layers, and its configuration 1"],
			[
				{
					...small,
					manifest: blobOf(
						mediaTypes.ociIndex,
						json({
							schemaVersion: 2,
							manifests: [{ ...descriptor(small), platform: { os: "windows", architecture: "amd64" } }],
						}),
					),
				},
				"no match for platform in manifest",
			],
		];
		for (const [image, message] of cases) {
			const registry = await fake(image);
			await expect(pull(`${registry.host}/app`)).rejects.toThrow(message);
		}
	});

	it("say who cannot be reached", async () => {
		const registry = await fake(small);
		await registry.stop();
		started.pop();
		await expect(pull(`${registry.host}/app`)).rejects.toMatchObject({
			kind: "unreachable",
			message: expect.stringContaining("ECONNREFUSED"),
		});
	});
});

describeWith(["docker-registry", "openssl"], "pulls from docker-registry", () => {
	const start = async (...args: Parameters<typeof startRegistry>): Promise<TestRegistry> => {
		const registry = await startRegistry(...args);
		started.push(registry);
		return registry;
	};
	/** Of `me` with the password `secret`. */
	const users = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

	it("choose the platform, share layers, and know images by names and digests", async () => {
		const registry = await start();
		const other = imageOf(
			[tarOf([dir("d"), file("d/x", "content")]), tarOf([file("y")])],
			{},
			{ type: "tar+zstd", compress: zstdCompress },
		);
		await registry.push(small, "app", "one");
		await registry.push(other, "app", "two");
		const index = blobOf(
			mediaTypes.ociIndex,
			json({
				schemaVersion: 2,
				mediaType: mediaTypes.ociIndex,
				manifests: [
					{
						...descriptor(other),
						platform: { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch },
					},
				],
			}),
		);
		await registry.putManifest("app", "index", index);
		await Promise.all(["one", "two", "index", "one"].map((tag) => pull(`${registry.host}/app:${tag}`)));
		const { store } = writer;
		expect(store.list()).toHaveLength(2);
		expect(readdirSync(`${directory}/store/layers`)).toHaveLength(2);
		const name = `${registry.host}/app@${index.digest}`;
		expect(store.find(`${registry.host}/app:index`)).toMatchObject({
			image: { digest: other.manifest.digest },
			repoDigests: [name],
		});
		expect(store.find(name)?.image.digest).toBe(other.manifest.digest);
		expect(store.find(small.manifest.digest)?.names).toContain(`${registry.host}/app:one`);
	});

	it("use the pod's credentials, then the user's, and say when both are wrong", async () => {
		const file = `${directory}/users`;
		writeFileSync(file, users);
		const registry = await start({
			settings: `auth: { htpasswd: { realm: test, path: ${file} } }`,
			authorization: "me:secret",
		});
		await registry.push(small, "app");
		const image = `${registry.host}/app`;
		await expect(pull(image)).rejects.toMatchObject({
			kind: "denied",
			message: expect.stringContaining("pull access denied"),
		});
		await expect(pull(image, [{ username: "me", password: "wrong" }])).rejects.toMatchObject({ kind: "denied" });
		await pull(image, [
			{ username: "me", password: "wrong" },
			{ username: "me", password: "secret" },
		]);
		mkdirSync(`${directory}/docker`);
		writeFileSync(
			`${directory}/docker/config.json`,
			JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } }),
		);
		await pull(image);
		writeFileSync(`${directory}/docker/config.json`, "{}");
		registriesText = `configs: { "${registry.host}": { auth: { username: me, password: secret } } }`;
		await pull(image, [{ username: "me", password: "wrong" }]);
	});

	it("trust the certificates of registries.yaml, and ask mirrors first", async () => {
		const [key, certificate] = [`${directory}/key.pem`, `${directory}/certificate.pem`];
		const subject = ["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"];
		execFileSync(
			"openssl",
			[
				"req",
				"-x509",
				"-newkey",
				"ec",
				"-pkeyopt",
				"ec_paramgen_curve:P-256",
				"-nodes",
				"-days",
				"2",
				"-keyout",
				key,
				"-out",
				certificate,
				...subject,
			],
			{ stdio: "ignore" },
		);
		const registry = await start({ http: `  tls: { certificate: ${certificate}, key: ${key} }`, ca: certificate });
		await registry.push(small, "copies/app");
		await expect(pull(`${registry.host}/copies/app`)).rejects.toThrow(/self-signed certificate/);
		registriesText = `
mirrors: { r.example: { endpoint: ["https://${registry.host}"], rewrite: { "^(.*)$": "copies/$1" } } }
configs: { "${registry.host}": { tls: { ca_file: ${certificate} } } }`;
		await pull("r.example/app:latest");
		expect(writer.store.find("r.example/app")?.repoDigests).toEqual([`r.example/app@${small.manifest.digest}`]);
		expect(existsSync(`${directory}/store/tmp`)).toBe(true);
	});
});

function descriptor({ manifest: { mediaType, digest, size } }: typeof small) {
	return { mediaType, digest, size };
}
