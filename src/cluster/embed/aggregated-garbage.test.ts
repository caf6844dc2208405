/** Garbage collection of what an extension API server holds, with all parts of a cluster. */
import { once } from "node:events";
import type { Server } from "node:https";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testCertificates } from "../../api/testing/certificates.ts";
import type { KubeObject, OwnerReference } from "../../core/object.ts";
import { systemClock } from "../../core/time/clock.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import { remoteKind } from "../../kinds/apiregistration/remote-kind.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { ResourceQuota } from "../../kinds/generated/types.ts";
import { resourceQuotas } from "../../kinds/quota/resourcequota.ts";
import { type Cluster, startCluster } from "./embed.ts";

// Of the package's own assets.
const { createServer } = createRequire(import.meta.url)(
	"../../../assets/stand-ins/lib/sample-apiserver/server.cjs",
) as { createServer(settings: object): Server };

const group = "wardle.example.com";
const names = { group, version: "v1alpha1", plural: "flunders", kind: "Flunder", singular: "flunder" };
const flunders: Kind = remoteKind(names);
const namespace = "default";

let cluster: Cluster;
let https: Server;

beforeAll(async () => {
	const certificates = await testCertificates(systemClock().now());
	cluster = await startCluster({ nodes: 0, listen: true });
	const trust = { namespace: "kube-system", name: "extension-apiserver-authentication" };
	const { data = {} } = await cluster.waitFor(configMaps, trust, "exists");
	const proxies = { ca: data["requestheader-client-ca-file"], names: ["front-proxy-client"] };
	https = createServer({ tls: certificates.server, proxies, audit() {}, intercept: () => false });
	https.listen(0, "127.0.0.1");
	await once(https, "listening");
	const { port } = https.address() as AddressInfo;
	await cluster.apply([
		{
			apiVersion: "v1",
			kind: "Service",
			metadata: { name: "hook", namespace },
			spec: { type: "ExternalName", externalName: "localhost", ports: [{ port }] },
		},
		{
			apiVersion: "apiregistration.k8s.io/v1",
			kind: "APIService",
			metadata: { name: `v1alpha1.${group}` },
			spec: {
				group,
				version: "v1alpha1",
				groupPriorityMinimum: 2000,
				versionPriority: 200,
				service: { namespace, name: "hook", port },
				caBundle: Buffer.from(certificates.ca).toString("base64"),
			},
		},
	]);
	await cluster.waitFor(apiServices, `v1alpha1.${group}`, "Available");
});

afterAll(async () => {
	await cluster?.stop();
	https?.closeAllConnections();
	https?.close();
});

function make(kind: Kind, name: string, owner?: KubeObject, more: object = {}): Promise<KubeObject> {
	const ownerReferences: OwnerReference[] = owner === undefined ? [] : [referenceTo(owner)];
	return cluster.client.create(kind, { metadata: { name, namespace, ownerReferences, ...more } });
}

function referenceTo({ apiVersion, kind, metadata: { name, uid } }: KubeObject): OwnerReference {
	return { apiVersion, kind, name, uid, blockOwnerDeletion: true };
}

const ownKind = configMaps as Kind;
const find = (kind: Kind, name: string) => cluster.client.get(kind, { namespace, name }).catch(() => undefined);
const isGone = (kind: Kind, name: string) =>
	expect.poll(() => find(kind, name), { timeout: 60_000, interval: 100 }).toBeUndefined();

/** What was made before has reached the collector, as upstream's, a moment after it was made. */
async function seen(): Promise<void> {
	const missing = { apiVersion: "v1", kind: "ConfigMap", name: "missing", uid: "missing" };
	await make(flunders, "probe", undefined, { ownerReferences: [missing] });
	await isGone(flunders, "probe");
}

test("objects of an extension API server go with their owners, and take along what they own", async () => {
	const owner = await make(ownKind, "owner");
	const middle = await make(flunders, "middle", owner);
	await make(ownKind, "leaf", middle);
	await make(flunders, "stays");
	await cluster.client.delete(ownKind, { namespace, name: "owner" });
	await isGone(flunders, "middle");
	await isGone(ownKind, "leaf");
	expect(await find(flunders, "stays")).toBeDefined();
});

test("an owner that is deleted in the foreground waits for them", async () => {
	const owner = await make(ownKind, "foreground");
	await make(flunders, "held", owner, { finalizers: ["example.com/hold"] });
	await seen();
	await cluster.client.delete(ownKind, { namespace, name: "foreground" }, { propagationPolicy: "Foreground" });
	await expect
		.poll(async () => (await find(flunders, "held"))?.metadata.deletionTimestamp, { timeout: 60_000 })
		.toBeDefined();
	expect(await find(ownKind, "foreground")).toBeDefined();
	await cluster.client.patch(
		flunders,
		{ namespace, name: "held" },
		{ type: "merge", patch: { metadata: { finalizers: null } } },
	);
	await isGone(flunders, "held");
	await isGone(ownKind, "foreground");
});

test("quotas count them", async () => {
	const quotas = resourceQuotas as Kind<ResourceQuota>;
	const hard = { [`count/flunders.${group}`]: "5" };
	await cluster.client.create(quotas, { metadata: { name: "few", namespace }, spec: { hard } });
	const used = async () => (await cluster.client.get(quotas, { namespace, name: "few" })).status?.used;
	const count = (await cluster.client.list(flunders, { namespace })).items.length;
	const becomes = (number: number) =>
		expect.poll(used, { timeout: 60_000, interval: 100 }).toEqual({ [`count/flunders.${group}`]: String(number) });
	await becomes(count);
	await make(flunders, "counted");
	await becomes(count + 1);
	await cluster.client.delete(flunders, { namespace, name: "counted" });
	await becomes(count);
});

test("a server that is down does not hold up other objects, and what it owned stays", async () => {
	const flunder = await make(flunders, "unknown");
	const owned = await make(ownKind, "owned", flunder);
	https.closeAllConnections();
	await new Promise((resolve) => https.close(resolve));
	const other = await make(ownKind, "other");
	await make(ownKind, "dependent", other);
	await cluster.client.delete(ownKind, { namespace, name: "other" }, { propagationPolicy: "Orphan" });
	await isGone(ownKind, "other");
	const { metadata } = (await find(ownKind, "dependent")) ?? {};
	expect(metadata?.ownerReferences).toBeUndefined();
	expect((await find(ownKind, "owned"))?.metadata.uid).toBe(owned.metadata.uid);
});
