/**
 * What the examples test: a small operator. It watches ConfigMaps with the label `greeter: "yes"` and keeps a Deployment with as many
 * replicas as the ConfigMap says for each of them. It takes any client of a Kubernetes API; here it is Coxswain's own.
 */
import { configMaps, deployments, isReason } from "coxswain";

/**
 * @param {import("coxswain").Client} client
 * @param {AbortSignal} signal ends it
 */
export async function startGreeter(client, signal) {
	const selection = { labelSelector: "greeter=yes" };
	const { items, resourceVersion } = await client.list(configMaps, selection);
	for (const item of items) await reconcile(client, item);
	client.watch(
		configMaps,
		{ ...selection, resourceVersion, signal },
		{
			event({ type, object }) {
				if (type === "ADDED" || type === "MODIFIED") void reconcile(client, object);
			},
			// Every watch ends some time.
			end: () => void startGreeter(client, signal),
		},
	);
}

/**
 * @param {import("coxswain").Client} client
 * @param {import("coxswain").ConfigMap} configMap
 */
async function reconcile(client, configMap) {
	const { name, namespace, uid } = configMap.metadata;
	const replicas = Number(configMap.data?.["replicas"] ?? 1);
	const labels = { greeter: name };
	const owner = { apiVersion: "v1", kind: "ConfigMap", name, uid, controller: true };
	try {
		await client.create(deployments, {
			metadata: { name, namespace, ownerReferences: [owner] },
			spec: {
				replicas,
				selector: { matchLabels: labels },
				template: { metadata: { labels }, spec: { containers: [{ name: "greeter", image: "greeter" }] } },
			},
		});
	} catch (error) {
		if (!isReason(error, "AlreadyExists")) throw error;
		await client.patch(deployments, { namespace, name }, { type: "merge", patch: { spec: { replicas } } });
	}
}
