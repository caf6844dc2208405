/** What programs do with Kubernetes' JavaScript client. */
import "./old-node.ts";
import { createConnection, createServer } from "node:net";
import { PassThrough } from "node:stream";
import * as k8s from "@kubernetes/client-node";

export interface Checks {
	config: k8s.KubeConfig;
	namespace: string;
	/** How often what may race is repeated. */
	rounds: number;
}

const jsonPatch = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.JsonPatch);
const mergePatch = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch);
const strategicPatch = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.StrategicMergePatch);
const applyPatch = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.ServerSideApply);

export const pod = (name: string, script: string, more: Partial<k8s.V1Container> = {}): k8s.V1Pod => ({
	metadata: { name, labels: { app: name } },
	spec: {
		terminationGracePeriodSeconds: 0,
		containers: [{ name: "main", image: "busybox", command: ["sh", "-c", script], ...more }],
	},
});

/** Resolves when the condition holds; a watch in a test of watches would test itself. */
export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
	for (let attempt = 0; attempt < 1200; attempt++) {
		if (await condition()) return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`timed out: ${what}`);
}

/** Collects what is written. */
export function collector(): PassThrough & { text(): string } {
	const stream = new PassThrough();
	let text = "";
	stream.on("data", (chunk: Buffer) => {
		text += chunk.toString();
	});
	return Object.assign(stream, { text: () => text });
}

export async function running({ config, namespace }: Checks, name: string): Promise<void> {
	const core = config.makeApiClient(k8s.CoreV1Api);
	await until(`${name} runs`, async () => {
		const { status } = await core.readNamespacedPod({ name, namespace });
		return status?.phase === "Running" && status.containerStatuses?.[0]?.ready === true;
	});
}

export async function patchesOfEveryType({ config, namespace }: Checks): Promise<Record<string, string>> {
	const core = config.makeApiClient(k8s.CoreV1Api);
	const name = "patched";
	const at = { name, namespace };
	await core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { created: "1" } } });
	await core.patchNamespacedConfigMap({ ...at, body: [{ op: "add", path: "/data/json", value: "2" }] }, jsonPatch);
	await core.patchNamespacedConfigMap({ ...at, body: { data: { merge: "3" } } }, mergePatch);
	await core.patchNamespacedConfigMap({ ...at, body: { data: { strategic: "4" } } }, strategicPatch);
	const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { apply: "5" } };
	await core.patchNamespacedConfigMap({ ...at, body: applied, fieldManager: "javascript", force: true }, applyPatch);
	return (await core.readNamespacedConfigMap(at)).data ?? {};
}

/** Object API: kinds that the program knows only from YAML. */
export async function objectsByTheirKind({ config, namespace }: Checks): Promise<string[]> {
	const objects = k8s.KubernetesObjectApi.makeApiClient(config);
	const seen: string[] = [];
	const [map] = k8s.loadAllYaml(
		`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: by-kind, namespace: ${namespace} }\ndata: { a: "1" }\n`,
	) as k8s.V1ConfigMap[];
	// Written above as one.
	const object = map as k8s.V1ConfigMap & { metadata: { name: string } };
	seen.push((await objects.create(object)).metadata?.name ?? "");
	await objects.patch(
		{ ...object, data: { b: "2" } },
		undefined,
		undefined,
		"me",
		undefined,
		k8s.PatchStrategy.MergePatch,
	);
	seen.push(JSON.stringify(((await objects.read(object)) as k8s.V1ConfigMap).data));
	seen.push(
		`${(await objects.list("v1", "ConfigMap", namespace)).items.some((one) => one.metadata?.name === "by-kind")}`,
	);
	await objects.delete(object);
	seen.push(
		await objects.read(object).then(
			() => "there",
			(error: k8s.ApiException<unknown>) => `${error.code}`,
		),
	);
	return seen;
}

export async function informed({ config, namespace }: Checks): Promise<string[]> {
	const core = config.makeApiClient(k8s.CoreV1Api);
	const path = `/api/v1/namespaces/${namespace}/configmaps`;
	const informer = k8s.makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace }));
	const seen: string[] = [];
	for (const verb of ["add", "update", "delete"] as const)
		informer.on(verb, (object) => {
			if (object.metadata?.name === "informed") seen.push(verb);
		});
	await informer.start();
	await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "informed" } } });
	await until("add", () => seen.includes("add"));
	const cached = informer.get("informed", namespace)?.metadata?.name;
	await core.patchNamespacedConfigMap({ name: "informed", namespace, body: { data: { a: "1" } } }, mergePatch);
	await until("update", () => seen.includes("update"));
	await core.deleteNamespacedConfigMap({ name: "informed", namespace });
	await until("delete", () => seen.includes("delete"));
	await informer.stop();
	return [...seen, `${cached}`, `${informer.get("informed", namespace)}`];
}

/** A request every 20 ms through a port of this machine. */
export async function forwarded({ config, namespace }: Checks, name: string, port: number): Promise<string> {
	const forward = new k8s.PortForward(config);
	const server = createServer((socket) => {
		forward.portForward(namespace, name, [port], socket, null, socket).catch(() => socket.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	if (address === null || typeof address === "string") throw new Error("no port");
	const answer = collector();
	const socket = createConnection(address.port, "127.0.0.1");
	socket.write("GET / HTTP/1.0\r\n\r\n");
	socket.pipe(answer);
	await until("an answer", () => answer.text().includes("200 OK"));
	socket.destroy();
	await new Promise((resolve) => server.close(resolve));
	return answer.text().split("\r\n")[0] ?? "";
}

export async function executed(
	{ config, namespace }: Checks,
	name: string,
	command: string[],
	input?: string,
): Promise<{ out: string; err: string; status: k8s.V1Status }> {
	const [out, err] = [collector(), collector()];
	const stdin = input === undefined ? null : new PassThrough();
	stdin?.end(input);
	const status = await new Promise<k8s.V1Status>((resolve, reject) => {
		new k8s.Exec(config).exec(namespace, name, "main", command, out, err, stdin, false, resolve).catch(reject);
	});
	return { out: out.text(), err: err.text(), status };
}
