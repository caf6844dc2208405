/** `cox envtest`, used as controller-runtime's envtest does: process by process, with its flags. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testCertificates } from "../../src/api/testing/certificates.ts";
import { createClient } from "../../src/client/requests.ts";
import { httpTransport } from "../../src/client/transports/http.ts";
import { waitFor } from "../../src/client/wait.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { deployments, namespaces, pods, serviceAccounts, storageClasses } from "../../src/index.ts";
import { eventually, kubectlPath, root, run } from "./cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "cox-envtest-"));
const assets = join(folder, "assets");
const running: Program[] = [];
const cox = (...args: string[]) => run(process.execPath, [join(root, "bin/cox.js"), ...args]);
let certificates: Awaited<ReturnType<typeof testCertificates>>;
let admin: { cert: string; key: string };

beforeAll(async () => {
	certificates = await testCertificates(systemClock().now());
	admin = await certificates.client("CN=admin, O=system:masters");
	expect(await cox("envtest", assets)).toEqual({
		code: 0,
		stdout: `export KUBEBUILDER_ASSETS=${assets}\n`,
		stderr: "",
	});
});
afterAll(async () => {
	for (const program of running) await program.stop();
	rmSync(folder, { recursive: true, force: true });
});

/** A program that runs until it is told to stop, as envtest's process.State. */
class Program {
	readonly #child: ChildProcess;
	readonly ended: Promise<number | null>;
	errors = "";

	constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
		this.#child = spawn(join(assets, name), args, {
			stdio: ["ignore", "ignore", "pipe"],
			env: { ...process.env, ...env },
		});
		this.#child.stderr?.on("data", (text: Buffer) => (this.errors += text.toString()));
		this.ended = new Promise((resolve) => this.#child.on("close", resolve));
		running.push(this);
	}

	stop(): Promise<number | null> {
		this.#child.kill("SIGTERM");
		return this.ended;
	}
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === "object" && address !== null ? address.port : 0;
}

async function startEtcd() {
	const url = `http://127.0.0.1:${await freePort()}`;
	const dataDir = mkdtempSync(join(folder, "etcd-"));
	const program = new Program("etcd", [
		`--advertise-client-urls=${url}`,
		`--data-dir=${dataDir}`,
		`--listen-client-urls=${url}`,
		`--listen-peer-urls=http://127.0.0.1:${await freePort()}`,
		"--unsafe-no-fsync=true",
	]);
	await eventually(async () => expect((await fetch(`${url}/health`)).status).toBe(200));
	return { program, url };
}

async function startApiServer(
	etcd: string,
	{ env = {}, flags = [] }: { env?: NodeJS.ProcessEnv; flags?: string[] } = {},
) {
	const port = await freePort();
	const server = `https://127.0.0.1:${port}`;
	const dir = mkdtempSync(join(folder, "certs-"));
	const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
	const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	write("apiserver.crt", certificates.server.cert);
	write("apiserver.key", certificates.server.key);
	write("client-cert-auth-ca.crt", certificates.ca);
	write("sa-signer.crt", publicKey.export({ type: "spki", format: "pem" }).toString());
	write("sa-signer.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
	const program = new Program(
		"kube-apiserver",
		[
			"--allow-privileged=true",
			"--authorization-mode=RBAC",
			"--bind-address=127.0.0.1",
			`--cert-dir=${dir}`,
			`--client-ca-file=${join(dir, "client-cert-auth-ca.crt")}`,
			"--disable-admission-plugins=ServiceAccount",
			`--etcd-servers=${etcd}`,
			`--secure-port=${port}`,
			`--service-account-issuer=${server}/`,
			`--service-account-key-file=${join(dir, "sa-signer.crt")}`,
			`--service-account-signing-key-file=${join(dir, "sa-signer.key")}`,
			"--service-cluster-ip-range=10.0.0.0/24",
			...flags,
		],
		env,
	);
	const anonymous = createClient(httpTransport({ server, ca: certificates.ca }));
	for (const path of ["/healthz", "/readyz"])
		await eventually(async () => expect(await anonymous.raw("GET", path)).toBe("ok"));
	await anonymous.close();
	const client = createClient(httpTransport({ server, ca: certificates.ca, ...admin }));
	return { program, server, dir, client };
}

const pod = {
	metadata: { namespace: "default", name: "web" },
	spec: { containers: [{ name: "web", image: "nginx" }] },
};
const deployment = {
	metadata: { namespace: "default", name: "web" },
	spec: {
		selector: { matchLabels: { app: "web" } },
		template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "nginx" }] } },
	},
};

test("flags are found where envtest looks for them, and unknown ones are refused", async () => {
	const help = async (name: string) => (await run(join(assets, name), ["--help"])).stdout;
	expect(await help("etcd")).toMatch(/^\s*--unsafe-no-fsync\b/m);
	const apiServer = await help("kube-apiserver");
	expect(apiServer).toMatch(/^\s*--etcd-servers\b/m);
	expect(apiServer).not.toMatch(/^\s*--insecure-port\b/m);
	const version = await run(join(assets, "kube-apiserver"), ["--version"]);
	expect(version.stdout).toMatch(/^Kubernetes v1\.\d+\.\d+\n$/);
	const failure = async (...args: string[]) => {
		const { code, stderr } = await run(join(assets, "kube-apiserver"), args);
		return { code, stderr };
	};
	expect(await failure("--etcd-server=x")).toEqual({ code: 1, stderr: "Error: unknown flag: --etcd-server\n" });
	expect(await failure()).toEqual({ code: 1, stderr: "Error: --etcd-servers must be specified\n" });
	const silent = `http://127.0.0.1:${await freePort()}`;
	expect((await failure(`--etcd-servers=${silent}`)).stderr).toContain(
		`${silent} does not answer: connect ECONNREFUSED`,
	);
});

test("an API server without controllers takes what a suite writes, and keeps it when it starts again", async () => {
	const etcd = await startEtcd();
	const first = await startApiServer(etcd.url, { flags: ["--feature-gates=Some=true", "--v=4"] });
	const { client } = first;
	expect((await client.create(pods, pod)).status?.phase).toBe("Pending");
	await client.create(deployments, deployment);
	const own = { ...(await client.get(deployments, pod.metadata)), status: { replicas: 3, readyReplicas: 3 } };
	await client.updateStatus(deployments, own);
	await client.create(namespaces, { metadata: { name: "shop" }, spec: {} });
	await client.delete(namespaces, { name: "shop" });
	await client.delete(deployments, pod.metadata, { propagationPolicy: "Background" });
	expect(first.program.errors).toBe("flags without effect: --feature-gates\n");
	expect(await first.program.stop()).toBe(0);
	await client.close();

	const again = await startApiServer(etcd.url);
	// Nobody schedules, cleans up, creates accounts, or binds claims.
	expect((await again.client.get(pods, pod.metadata)).spec.nodeName).toBeUndefined();
	expect((await again.client.get(namespaces, { name: "shop" })).status?.phase).toBe("Terminating");
	expect((await again.client.list(serviceAccounts, { namespace: "default" })).items).toEqual([]);
	expect((await again.client.list(storageClasses)).items).toEqual([]);
	expect(await again.program.stop()).toBe(0);
	await again.client.close();
	expect(await etcd.program.stop()).toBe(0);
});

test("users have certificates, tokens of a file, or of a service account", async () => {
	const etcd = await startEtcd();
	const tokens = join(folder, "tokens.csv");
	writeFileSync(tokens, 'secret,ann,1,"system:masters,dev"\n');
	const { client, server, program } = await startApiServer(etcd.url, { flags: [`--token-auth-file=${tokens}`] });
	const who = async (credentials: object) => {
		const as = createClient(httpTransport({ server, ca: certificates.ca, ...credentials }));
		const body = { kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1" };
		const review = await as.raw("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body);
		await as.close();
		return review;
	};
	const userInfo = (username: string, ...groups: string[]) => ({
		status: { userInfo: { username, groups: expect.arrayContaining(groups) } },
	});
	expect(await who(admin)).toMatchObject(userInfo("admin", "system:masters"));
	expect(await who({ token: "secret" })).toMatchObject(userInfo("ann", "dev"));
	const account = await client.create(serviceAccounts, { metadata: { namespace: "default", name: "robot" } });
	const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
	const made = await client.createSubresource(serviceAccounts, account.metadata, "token", request);
	const { token } = (made as { status: { token: string } }).status;
	expect(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
		iss: `${server}/`,
	});
	expect(await who({ token })).toMatchObject(userInfo("system:serviceaccount:default:robot"));
	await client.close();
	await program.stop();
	await etcd.program.stop();
});

test("with controllers and nodes it is a whole cluster", async () => {
	const etcd = await startEtcd();
	const env = { COX_ENVTEST_CONTROLLERS: "*", COX_ENVTEST_NODES: "1" };
	const { client, program } = await startApiServer(etcd.url, { env });
	await client.create(deployments, deployment);
	const isUp = (found: { status?: { availableReplicas?: number } } | undefined) =>
		found?.status?.availableReplicas === 1;
	await waitFor(client, deployments, deployment.metadata, isUp, { signal: AbortSignal.timeout(60_000) });
	await client.close();
	expect(await program.stop()).toBe(0);
	await etcd.program.stop();
});

test("kubectl is the one on PATH, and what is not ours stays", async () => {
	const path = `${assets}:${join(kubectlPath, "..")}:/usr/bin:/bin`;
	const { stdout } = await run(join(assets, "kubectl"), ["version", "--client"], { env: { PATH: path } });
	expect(stdout).toMatch(/Client Version/);
	const none = await run(join(assets, "kubectl"), ["version"], { env: { PATH: `${assets}:/nowhere` } });
	expect({ code: none.code, text: none.stderr }).toMatchObject({
		code: 127,
		text: expect.stringMatching(/not on your PATH/),
	});
	expect((await cox("envtest", assets)).code).toBe(0);
	const other = join(folder, "other");
	mkdirSync(other);
	writeFileSync(join(other, "etcd"), "mine");
	expect((await cox("envtest", other)).stderr).toMatch(/etcd exists and was not written by 'cox envtest'/);
	expect(existsSync(join(other, "kubectl"))).toBe(false);
});
