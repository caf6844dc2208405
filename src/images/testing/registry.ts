/** Debian's docker-registry on loopback, for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { Agent, request } from "undici";
import { systemClock } from "../../core/time/clock.ts";
import type { BuiltBlob, BuiltImage } from "./image-builder.ts";

export interface TestRegistry {
	/** `127.0.0.1:PORT` */
	host: string;
	push(image: BuiltImage, repository: string, ...tags: string[]): Promise<void>;
	putManifest(repository: string, name: string, manifest: BuiltBlob): Promise<void>;
	stop(): Promise<void>;
}

export interface TestRegistryOptions {
	/** YAML below the top level. */
	settings?: string;
	/** YAML below `http`. */
	http?: string;
	/** `USER:PASSWORD` for pushes. */
	authorization?: string;
	/** The certificate that it has. */
	ca?: string;
}

const clock = systemClock();

export async function startRegistry({
	settings = "",
	http = "",
	authorization,
	ca,
}: TestRegistryOptions = {}): Promise<TestRegistry> {
	const directory = mkdtempSync(`${tmpdir()}/cox-registry-`);
	const port = await freePort();
	const host = `127.0.0.1:${port}`;
	const config = `version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ${directory}/data }, delete: { enabled: true } }
http:
  addr: ${host}
${http}
${settings}
`;
	writeFileSync(`${directory}/config.yml`, config);
	const child = spawn("docker-registry", ["serve", `${directory}/config.yml`], { stdio: ["ignore", "ignore", "pipe"] });
	let said = "";
	child.stderr.on("data", (chunk) => {
		said += chunk;
	});
	await untilItListens(port, child, () => said);
	const base = `${ca === undefined ? "http" : "https"}://${host}/v2`;
	const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca: readFileSync(ca) } });
	const encoded = Buffer.from(authorization ?? "").toString("base64");
	const common = { dispatcher, headers: authorization === undefined ? {} : { authorization: `Basic ${encoded}` } };
	const putBlob = async (repository: string, blob: BuiltBlob) => {
		const begun = await request(`${base}/${repository}/blobs/uploads/`, { method: "POST", ...common });
		await begun.body.dump();
		const target = new URL(String(begun.headers["location"]), base);
		target.searchParams.set("digest", blob.digest);
		await expectStatus(201, await request(target, { method: "PUT", body: blob.body, ...common }));
	};
	const registry: TestRegistry = {
		host,
		async push({ manifest, config: configBlob, layers }, repository, ...tags) {
			for (const blob of [configBlob, ...layers]) await putBlob(repository, blob);
			for (const tag of tags.length === 0 ? ["latest"] : tags) await registry.putManifest(repository, tag, manifest);
		},
		async putManifest(repository, name, { mediaType, body }) {
			const headers = { ...common.headers, "content-type": mediaType };
			const target = `${base}/${repository}/manifests/${name}`;
			await expectStatus(201, await request(target, { method: "PUT", body, dispatcher, headers }));
		},
		async stop() {
			await dispatcher.destroy();
			if (child.exitCode === null) {
				child.kill("SIGKILL");
				await once(child, "exit");
			}
			await rm(directory, { recursive: true, force: true });
		},
	};
	return registry;
}

async function expectStatus(
	wanted: number,
	answer: { statusCode: number; body: { text(): Promise<string> } },
): Promise<void> {
	const text = await answer.body.text();
	if (answer.statusCode !== wanted) throw new Error(`the registry answered ${answer.statusCode}: ${text}`);
}

export async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === "string") throw new Error("no port");
	return address.port;
}

async function untilItListens(port: number, child: ChildProcess, said: () => string): Promise<void> {
	const { connect } = await import("node:net");
	for (let attempt = 0; attempt < 1000; attempt++) {
		if (child.exitCode !== null) throw new Error(`docker-registry ended: ${said()}`);
		const socket = connect(port, "127.0.0.1");
		const isThere = await new Promise<boolean>((resolve) => {
			socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
		});
		socket.destroy();
		if (isThere) return;
		await clock.sleep(10);
	}
	throw new Error("docker-registry does not listen");
}
