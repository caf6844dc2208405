import type { KeyPair } from "./key-pair.ts";

/** The text of a kubeconfig for one cluster, in JSON, which is YAML too. */
export function kubeconfigText(options: {
	server: string;
	ca: string;
	user: KeyPair;
	/** How the file calls the user; default `coxswain-admin`. */
	userName?: string;
	namespace?: string;
}): string {
	const base64 = (text: string) => Buffer.from(text).toString("base64");
	const name = "coxswain";
	const user = options.userName ?? `${name}-admin`;
	return `${JSON.stringify(
		{
			apiVersion: "v1",
			kind: "Config",
			clusters: [{ name, cluster: { server: options.server, "certificate-authority-data": base64(options.ca) } }],
			users: [
				{
					name: user,
					user: {
						"client-certificate-data": base64(options.user.cert),
						"client-key-data": base64(options.user.key),
					},
				},
			],
			contexts: [{ name, context: { cluster: name, user, namespace: options.namespace ?? "default" } }],
			"current-context": name,
			preferences: {},
		},
		null,
		2,
	)}\n`;
}
