import type { KeyPair } from "./key-pair.ts";

/**
 * The text of a kubeconfig for one cluster, in JSON, which is YAML too. Clients that merge several files know clusters,
 * users and contexts by their names alone, so all of them contain the cluster's.
 */
export function kubeconfigText(options: {
	/** How the file calls the cluster; another for each. */
	cluster: string;
	server: string;
	ca: string;
	user: KeyPair;
	/** Who the user is; default: the administrator, whose context is called as the cluster. */
	userName?: string;
	namespace?: string;
}): string {
	const base64 = (text: string) => Buffer.from(text).toString("base64");
	const { cluster, userName } = options;
	const user = userName === undefined ? `${cluster}-admin` : `${userName}@${cluster}`;
	const context = userName === undefined ? cluster : user;
	return `${JSON.stringify(
		{
			apiVersion: "v1",
			kind: "Config",
			clusters: [
				{ name: cluster, cluster: { server: options.server, "certificate-authority-data": base64(options.ca) } },
			],
			users: [
				{
					name: user,
					user: {
						"client-certificate-data": base64(options.user.cert),
						"client-key-data": base64(options.user.key),
					},
				},
			],
			contexts: [{ name: context, context: { cluster, user, namespace: options.namespace ?? "default" } }],
			"current-context": context,
			preferences: {},
		},
		null,
		2,
	)}\n`;
}
