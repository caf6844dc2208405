import type { Client } from "../client/client.ts";
import { standardStorageClass } from "../controllers/volumes/standard-class.ts";
import { isReason } from "../core/errors.ts";
import type { Draft, KubeObject } from "../core/object.ts";
import { endpoints } from "../kinds/endpoints.ts";
import { endpointSlices } from "../kinds/endpointslice.ts";
import type { Kind } from "../kinds/kind.ts";
import { namespaces } from "../kinds/namespace.ts";
import { priorityClasses } from "../kinds/priorityclass.ts";
import { services } from "../kinds/service.ts";
import { serviceAccounts } from "../kinds/serviceaccount.ts";
import { storageClasses } from "../kinds/storageclass.ts";
import { serviceAddress } from "./addresses.ts";
import { reconcileRoles } from "./bootstrap-roles.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
const systemPriorities = [
	{
		name: "system-cluster-critical",
		value: 2_000_000_000,
		description: "For pods the cluster needs, on whatever node.",
	},
	{
		name: "system-node-critical",
		value: 2_000_001_000,
		description: "For pods the cluster needs on the very node they run on.",
	},
];

/**
 * Creates what every cluster has from the start, where it is missing. What does not need each other is written at once, so that the store
 * commits it together.
 * @param client may do everything
 * @param options.accounts names of service accounts in kube-system
 */
export async function bootstrap(
	client: Client,
	options: { serviceCidr: string; accounts: readonly string[] },
): Promise<void> {
	const ensure = async <T extends KubeObject>(kind: Kind<T>, draft: Draft<T>) => {
		const ref = { namespace: draft.metadata.namespace, name: draft.metadata.name ?? "" };
		try {
			await client.get(kind, ref);
		} catch (error) {
			if (!isReason(error, "NotFound")) throw error;
			await client.create(kind, draft);
		}
	};
	await Promise.all(systemNamespaces.map((name) => ensure(namespaces, { metadata: { name }, spec: {} })));
	await Promise.all([
		reconcileRoles(client),
		ensureAccounts(client, options.accounts),
		...systemPriorities.map(({ name, ...rest }) => ensure(priorityClasses, { metadata: { name }, ...rest })),
		ensure(storageClasses, standardStorageClass),
		ensureKubernetesService(ensure, options.serviceCidr),
	]);
}

async function ensureAccounts(client: Client, names: readonly string[]): Promise<void> {
	const namespace = "kube-system";
	const { items } = await client.list(serviceAccounts, { namespace });
	const found = new Set(items.map(({ metadata }) => metadata.name));
	const missing = names.filter((name) => !found.has(name));
	await Promise.all(missing.map((name) => client.create(serviceAccounts, { metadata: { name, namespace } })));
}

type Ensure = <T extends KubeObject>(kind: Kind<T>, draft: Draft<T>) => Promise<void>;

/** The API server's own service. Every node's agent answers its address itself, so that address is also its endpoint. */
async function ensureKubernetesService(ensure: Ensure, serviceCidr: string): Promise<void> {
	const address = serviceAddress(serviceCidr, 1);
	const metadata = { name: "kubernetes", namespace: "default" };
	const labels = { component: "apiserver", provider: "kubernetes" };
	const port = { name: "https", port: 443, protocol: "TCP" };
	await ensure(services, {
		metadata: { ...metadata, labels },
		spec: { type: "ClusterIP", clusterIP: address, clusterIPs: [address], ports: [{ ...port, targetPort: 443 }] },
	});
	await ensure(endpoints, {
		metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
		subsets: [{ addresses: [{ ip: address }], ports: [port] }],
	});
	await ensure(endpointSlices, {
		metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
		addressType: "IPv4",
		endpoints: [{ addresses: [address], conditions: { ready: true } }],
		ports: [port],
	});
}
