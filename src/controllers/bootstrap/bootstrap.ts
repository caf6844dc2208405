/** What every cluster holds from the start. */
import type { Client } from "../../client/client.ts";
import { isReason } from "../../core/errors.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import { endpoints } from "../../kinds/endpoints.ts";
import { endpointSlices } from "../../kinds/endpointslice.ts";
import type { Kind } from "../../kinds/kind.ts";
import { namespaces } from "../../kinds/namespace.ts";
import { priorityClasses } from "../../kinds/priorityclass.ts";
import { services } from "../../kinds/service.ts";

export interface BootstrapOptions {
	/** First address of the service CIDR: `kubernetes.default` answers there. */
	serviceAddress: string;
	/** Where pods reach the API server; undefined where no pod can, such as in a cluster of simulated nodes. */
	apiServer?: { address: string; port: number };
}

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Importance of what the cluster itself needs, above everything users may ask for (10^9). */
const systemPriorities = [
	{
		name: "system-cluster-critical",
		value: 2_000_000_000,
		description: "For pods without which the cluster does not work, wherever they run.",
	},
	{
		name: "system-node-critical",
		value: 2_000_001_000,
		description: "For pods without which their node does not work.",
	},
];

/**
 * Creates what is missing and sets right where the API server is. Harmless to repeat.
 * @throws ApiError when the API server cannot be written to
 */
export async function bootstrap(client: Client, options: BootstrapOptions): Promise<void> {
	await Promise.all(systemNamespaces.map((name) => ensure(client, namespaces, { metadata: { name }, spec: {} })));
	await Promise.all([
		...systemPriorities.map(({ name, ...rest }) => ensure(client, priorityClasses, { metadata: { name }, ...rest })),
		kubernetesService(client, options),
	]);
}

async function kubernetesService(client: Client, { serviceAddress, apiServer }: BootstrapOptions): Promise<void> {
	const metadata = { name: "kubernetes", namespace: "default" };
	const labels = { component: "apiserver", provider: "kubernetes" };
	await ensure(client, services, {
		metadata: { ...metadata, labels },
		spec: {
			type: "ClusterIP",
			clusterIP: serviceAddress,
			clusterIPs: [serviceAddress],
			ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: apiServer?.port ?? 6443 }],
		},
	});
	if (apiServer === undefined) return;
	const port = { name: "https", port: apiServer.port, protocol: "TCP" };
	await Promise.all([
		replace(client, endpoints, {
			metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
			subsets: [{ addresses: [{ ip: apiServer.address }], ports: [port] }],
		}),
		replace(client, endpointSlices, {
			metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
			addressType: "IPv4",
			endpoints: [{ addresses: [apiServer.address], conditions: { ready: true } }],
			ports: [port],
		}),
	]);
}

async function ensure<T extends KubeObject>(client: Client, kind: Kind<T>, draft: Draft<T>): Promise<boolean> {
	try {
		await client.create(kind, draft);
		return true;
	} catch (error) {
		if (isReason(error, "AlreadyExists")) return false;
		throw error;
	}
}

/** The API server's address may be another one after a restart. */
async function replace<T extends KubeObject>(
	client: Client,
	kind: Kind<T>,
	draft: Draft<T> & { metadata: { name: string; namespace: string } },
): Promise<void> {
	if (await ensure(client, kind, draft)) return;
	const { metadata, ...content } = draft;
	await client.patch(kind, metadata, { type: "merge", patch: { metadata: { labels: metadata.labels }, ...content } });
}
