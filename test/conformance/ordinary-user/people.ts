/**
 * A cluster with something to steal, and two people who may work in one namespace of it: `ann` edits there, `adam`
 * administers it. They come in as users do: over HTTPS, with a token.
 */
import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { parse } from "yaml";
import { type Cluster, namespaces, pods, startCluster } from "../../../src/index.ts";

// Objects are looked at as JSON, field by field, as a client in another language would.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

export interface Answer {
	status: number;
	/** What a Status says; the whole body when it is none. */
	message: string;
	body: Json;
}

export type Ask = (method: string, path: string, body?: Json, headers?: Record<string, string>) => Promise<Answer>;

export interface People {
	cluster: Cluster;
	/** May everything. */
	admin: Ask;
	/** `edit` in the namespace shop, which enforces `baseline`. */
	ann: Ask;
	/** `admin` in the namespace shop. */
	adam: Ask;
	/** A pod of the namespace shop that names no account. */
	pod: Ask;
	/** Nobody in particular, without a token. */
	nobody: Ask;
	[Symbol.asyncDispose](): Promise<void>;
}

/**
 * Theirs is the namespace shop; not theirs is vault, where there is a Secret, a pod and a token of an administrator.
 */
export const shop = "/api/v1/namespaces/shop";
export const vault = "/api/v1/namespaces/vault";
export const rbac = "/apis/rbac.authorization.k8s.io/v1";
export const merge = { "content-type": "application/merge-patch+json" };
export const strategic = { "content-type": "application/strategic-merge-patch+json" };
export const apply = { "content-type": "application/apply-patch+yaml" };
export const secretText = "the combination is 7-7-7";

export async function startWithPeople(): Promise<People> {
	const cluster = await startCluster({ nodes: 2, admissionPlugins: ["DenyServiceExternalIPs"] });
	const config: Json = parse(await cluster.kubeconfig());
	const server = new URL(config.clusters[0].cluster.server);
	const bytes = (text: string) => Buffer.from(text, "base64");
	const ca = bytes(config.clusters[0].cluster["certificate-authority-data"]);
	const { user } = config.users[0];
	const key = { cert: bytes(user["client-certificate-data"]), key: bytes(user["client-key-data"]) };
	const agents = [new Agent({ keepAlive: true, ca }), new Agent({ keepAlive: true, ca, ...key })] as const;
	const asker =
		(agent: Agent, token?: string): Ask =>
		(method, path, body, headers = {}) =>
			ask(agent, server, method, path, body, {
				...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
				...headers,
			});
	const admin = asker(agents[1]);
	await furnish(admin, cluster);
	const tokenOf = async (name: string, namespace = "people") => {
		const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
		return (await admin("POST", path, { spec: {} })).body.status.token as string;
	};
	return {
		cluster,
		admin,
		ann: asker(agents[0], await tokenOf("ann")),
		adam: asker(agents[0], await tokenOf("adam")),
		pod: asker(agents[0], await tokenOf("default", "shop")),
		nobody: asker(agents[0]),
		async [Symbol.asyncDispose]() {
			for (const agent of agents) agent.destroy();
			await cluster.stop();
		},
	};
}

async function furnish(admin: Ask, cluster: Cluster): Promise<void> {
	const make = async (path: string, body: Json) => {
		const { status, message } = await admin("POST", path, body);
		if (status !== 201) throw new Error(`${path}: ${message}`);
	};
	const enforce = { "pod-security.kubernetes.io/enforce": "baseline" };
	await make("/api/v1/namespaces", { metadata: { name: "people" } });
	await make("/api/v1/namespaces", { metadata: { name: "shop", labels: enforce } });
	await make("/api/v1/namespaces", { metadata: { name: "vault" } });
	for (const [name, role] of [
		["ann", "edit"],
		["adam", "admin"],
	] as const) {
		await make("/api/v1/namespaces/people/serviceaccounts", { metadata: { name } });
		await make(`${rbac}/namespaces/shop/rolebindings`, {
			metadata: { name },
			roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
			subjects: [{ kind: "ServiceAccount", namespace: "people", name }],
		});
	}
	await make(`${vault}/secrets`, { metadata: { name: "safe" }, stringData: { text: secretText } });
	await make(`${vault}/serviceaccounts`, { metadata: { name: "root" } });
	await make(`${rbac}/clusterrolebindings`, {
		metadata: { name: "vault-root" },
		roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
		subjects: [{ kind: "ServiceAccount", namespace: "vault", name: "root" }],
	});
	for (const namespace of ["shop", "vault"]) {
		await cluster.waitFor(namespaces, namespace, "exists");
		await make(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: "notes" }, data: { a: "b" } });
		await make(`/api/v1/namespaces/${namespace}/pods`, plainPod("web"));
		await cluster.waitFor(pods, { namespace, name: "web" }, ({ status }) => status?.phase === "Running");
	}
}

export function plainPod(name: string, spec: Json = {}, container: Json = {}): Json {
	return { metadata: { name }, spec: { containers: [{ name: "c", image: "nginx", ...container }], ...spec } };
}

function ask(
	agent: Agent,
	server: URL,
	method: string,
	path: string,
	body: Json,
	headers: Record<string, string>,
): Promise<Answer> {
	const text = body === undefined ? undefined : JSON.stringify(body);
	const sending = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
	return new Promise((resolve, reject) => {
		const sent = httpsRequest({
			agent,
			host: server.hostname,
			port: server.port,
			method,
			// As it stands: tricks with paths are not tidied up.
			path,
			headers: { ...(text === undefined ? {} : { "content-type": "application/json" }), ...sending, ...headers },
		});
		sent.on("error", reject);
		sent.on("response", (response) => void read(response).then(resolve, reject));
		sent.on("upgrade", (_, socket) => {
			socket.destroy();
			resolve({ status: 101, message: "switched protocols", body: undefined });
		});
		sent.end(text);
	});
}

async function read(response: IncomingMessage): Promise<Answer> {
	const chunks: Buffer[] = [];
	for await (const chunk of response) chunks.push(chunk);
	const text = Buffer.concat(chunks).toString();
	let body: Json = text;
	try {
		body = JSON.parse(text);
	} catch {
		// Not everything is JSON.
	}
	return { status: response.statusCode ?? 0, message: body?.message ?? text, body };
}
