import { isRecord } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import type { KeyPair } from "./key-pair.ts";

/**
 * The text of a kubeconfig for one cluster, in JSON, which is YAML as well. Clients that merge several files identify
 * clusters, users and contexts by name, so all names contain the cluster's.
 */
export function kubeconfigText(options: {
	/** The cluster's name in the file; unique. */
	cluster: string;
	server: string;
	ca: string;
	user: KeyPair;
	/** Name of the user; default: the administrator, whose context has the cluster's name. */
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

/**
 * A new text of the file that keeps additions made with `kubectl config`: other clusters, users and contexts, the
 * current context, and the namespace of this cluster's.
 * @param before the current file; unreadable parts are dropped
 * @param fresh from `kubeconfigText`
 */
export function keepAdditions(before: string, fresh: string): string {
	const file = parsed(before);
	if (!isRecord(file)) return fresh;
	const made = JSON.parse(fresh);
	for (const list of ["clusters", "users", "contexts"]) {
		const names = new Set(named(made[list]).map(({ name }) => name));
		made[list].push(...named(file[list]).filter(({ name }) => !names.has(name)));
	}
	const [ours] = made.contexts;
	const { context: earlier } = named(file["contexts"]).find(({ name }) => name === ours.name) ?? {};
	if (isRecord(earlier) && typeof earlier["namespace"] === "string") ours.context.namespace = earlier["namespace"];
	const current = file["current-context"];
	if (named(made.contexts).some(({ name }) => name === current)) made["current-context"] = current;
	return `${JSON.stringify(made, null, 2)}\n`;
}

function parsed(text: string): unknown {
	// A new cluster has no file yet, and its start must not wait for the YAML library.
	if (text === "") return undefined;
	try {
		return JSON.parse(text);
	} catch {
		// kubectl writes YAML.
	}
	try {
		return yamlLibrary().parse(text);
	} catch {
		return undefined;
	}
}

function named(list: unknown): Record<string, unknown>[] {
	return Array.isArray(list) ? list.filter((entry) => isRecord(entry) && typeof entry["name"] === "string") : [];
}
