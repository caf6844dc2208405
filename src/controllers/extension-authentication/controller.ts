/**
 * Publishes, as a ConfigMap in kube-system, how extension API servers know who asks: the authority of clients, and that
 * of the proxy that passes requests on to them. Roles let them read it.
 */
import { configMaps } from "../../kinds/core/configmap.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { ConfigMap } from "../../kinds/generated/types.ts";
import { create, update } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

const metadata = { name: "extension-apiserver-authentication", namespace: "kube-system" };
const key = `${metadata.namespace}/${metadata.name}`;

/** Certificates in PEM. */
export interface ExtensionAuthentication {
	/** Who shows a certificate of these authorities is who it says. */
	clientCa?: string | Buffer;
	/** Who shows one of these says who asks. */
	frontProxy?: {
		ca: string;
		/** Common names of such certificates; none: any. */
		names: readonly string[];
		/** Names of the headers that say who asks. */
		headers: Readonly<Record<"username" | "uid" | "group" | "extraPrefix", readonly string[]>>;
	};
}

export function extensionAuthenticationController(published: ExtensionAuthentication): Controller<{
	found: ConfigMap | undefined;
}> {
	const data = dataOf(published);
	return {
		name: "extension-authentication",
		component: "kube-apiserver",
		watches: [
			watchRule(namespaces, (current, old) =>
				current?.metadata.name === metadata.namespace && old === undefined ? [key] : [],
			),
			watchRule(configMaps, (current, old) => {
				const { namespace, name } = (current ?? old)?.metadata ?? {};
				return namespace === metadata.namespace && name === metadata.name ? [key] : [];
			}),
		],
		gather: (_key, informers) => ({ found: informers.of(configMaps).get(metadata.namespace, metadata.name) }),
		plan({ found }) {
			if (found === undefined) return { actions: [create(configMaps, { metadata, data }, { orExists: true })] };
			const isRight = Object.entries(data).every(([name, text]) => found.data?.[name] === text);
			return { actions: isRight ? [] : [update(configMaps, { ...found, data: { ...found.data, ...data } })] };
		},
	};
}

function dataOf({ clientCa, frontProxy }: ExtensionAuthentication): Record<string, string> {
	const clients: Record<string, string> = clientCa === undefined ? {} : { "client-ca-file": clientCa.toString() };
	if (frontProxy === undefined) return clients;
	const { ca, names, headers } = frontProxy;
	return {
		...clients,
		"requestheader-allowed-names": JSON.stringify(names),
		"requestheader-client-ca-file": ca,
		"requestheader-extra-headers-prefix": JSON.stringify(headers.extraPrefix),
		"requestheader-group-headers": JSON.stringify(headers.group),
		"requestheader-uid-headers": JSON.stringify(headers.uid),
		"requestheader-username-headers": JSON.stringify(headers.username),
	};
}
