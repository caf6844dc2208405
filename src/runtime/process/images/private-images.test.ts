/** Images that were pulled with a pod's credentials are for pods that have such. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../../../core/time/clock.ts";
import { basicAuthorization, type Credential } from "../../../images/credentials/credential.ts";
import { ImageFailure } from "../../../images/model/failure.ts";
import { pullImage } from "../../../images/pull.ts";
import { noRegistries } from "../../../images/registry/registries-file.ts";
import { ImageStore } from "../../../images/store/store.ts";
import { StoreWriter } from "../../../images/store/store-writer.ts";
import { type FakeRegistry, startFakeRegistry } from "../../../images/testing/fake-registry.ts";
import { dir, file, imageOf, tarOf } from "../../../images/testing/image-builder.ts";
import { ImageService } from "./image-service.ts";
import { createImageTable } from "./images.ts";

const [first, second] = [
	{ username: "first", password: "one" },
	{ username: "second", password: "two" },
];
const privateImage = imageOf([tarOf([dir("d"), file("d/x", "secret")])], { Cmd: ["x"] });
let writer: StoreWriter;
let registry: FakeRegistry;
let service: ImageService;
let image: string;

beforeAll(async () => {
	writer = new StoreWriter(ImageStore.open(mkdtempSync(`${tmpdir()}/cox-private-images-`)));
	registry = await startFakeRegistry(privateImage, ({ headers }, response) => {
		const known = [first, second].map(basicAuthorization);
		if (known.includes(headers.authorization ?? "")) return false;
		response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
		return true;
	});
	image = `${registry.host}/app:1`;
	const clock = systemClock();
	const options = { writer, registries: () => noRegistries, dockerDirectory: "/nonexistent", clock };
	const { signal } = new AbortController();
	service = new ImageService({
		table: createImageTable({ assets: writer.store.directory }),
		clock,
		store: writer.store,
		source: "registry",
		pullsAtOnce: 1,
		async pull({ image: name, credentials }) {
			try {
				await pullImage(options, { image: name, credentials, signal });
				return { ok: true };
			} catch (error) {
				if (!(error instanceof ImageFailure)) throw error;
				return { ok: false, kind: error.kind, message: error.message };
			}
		},
	});
});
afterAll(async () => {
	await registry.stop();
	await writer.remove([writer.store.directory]);
});

const resolve = (credentials: Credential[], pullPolicy = "IfNotPresent") =>
	service.resolve(image, { pullPolicy, hasCommand: false, credentials: async () => credentials });
const requests = () => registry.requests.length;

it("are there for pods with credentials with which they were pulled, and for no others", async () => {
	expect((await resolve([first])).pulled).toBeDefined();
	const before = requests();
	expect((await resolve([second, first])).pulled).toBeUndefined();
	expect((await resolve([first], "Never")).pulled).toBeUndefined();
	expect(requests()).toBe(before);
	await expect(resolve([])).rejects.toMatchObject({ reason: "ErrImagePull" });
	await expect(resolve([{ username: "first", password: "wrong" }])).rejects.toMatchObject({ reason: "ErrImagePull" });
	await expect(resolve([], "Never")).rejects.toMatchObject({ reason: "ErrImageNeverPull" });
	expect(writer.store.find(privateImage.manifest.digest)?.credentials).toHaveLength(1);

	expect((await resolve([second])).pulled).toBeDefined();
	const after = requests();
	for (const credential of [first, second]) expect((await resolve([credential])).pulled).toBeUndefined();
	expect(requests()).toBe(after);
});

it("are there for all pods once the cluster's user has them", async () => {
	const { image: stored, names } = writer.store.find(image) ?? {};
	const named = { image: stored?.digest ?? "", name: names?.[0] ?? "", atMs: 0 };
	writer.name(named);
	expect((await resolve([])).pulled).toBeUndefined();
	writer.name({ ...named, credentials: ["more"] });
	expect((await resolve([])).pulled).toBeUndefined();
});
