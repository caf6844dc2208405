/** Publishes the cluster's certificate authority as the ConfigMap kube-root-ca.crt of every namespace. */

import { sameJson } from "../../core/equal.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { ConfigMap, Namespace } from "../../kinds/generated/types.ts";
import { create, update } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

const name = "kube-root-ca.crt";
const annotations = {
	"kubernetes.io/description": "The certificate authority by which pods recognise the API server inside the cluster.",
};

export interface RootCaState {
	namespace: Namespace;
	configMap: ConfigMap | undefined;
}

/** @param certificate PEM */
export function rootCaController(certificate: string): Controller<RootCaState> {
	return {
		name: "root-ca-certificate-publisher",
		component: "root-ca-cert-publisher",
		watches: [
			watchRule(namespaces, (current, old) =>
				current !== undefined && old === undefined ? [current.metadata.name] : [],
			),
			watchRule(configMaps, (current, old) => {
				const object = current ?? old;
				return object?.metadata.name === name ? [object.metadata.namespace ?? ""] : [];
			}),
		],
		gather(key, informers) {
			const namespace = informers.of(namespaces).get(undefined, key);
			if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return undefined;
			return { namespace, configMap: informers.of(configMaps).get(key, name) };
		},
		plan({ namespace, configMap }) {
			const data = { "ca.crt": certificate };
			if (configMap === undefined) {
				const metadata = { name, namespace: namespace.metadata.name, annotations };
				return { actions: [create(configMaps, { metadata, data }, { orExists: true })] };
			}
			if (sameJson(configMap.data, data)) return { actions: [] };
			return { actions: [update(configMaps, { ...configMap, data })] };
		},
	};
}
