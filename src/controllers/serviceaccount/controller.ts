/** Creates the service account `default` in every namespace. */

import { namespaces } from "../../kinds/core/namespace.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Namespace } from "../../kinds/generated/types.ts";
import { create } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

export interface ServiceAccountState {
	namespace: Namespace;
	exists: boolean;
}

const name = "default";

export const serviceAccountController: Controller<ServiceAccountState> = {
	name: "serviceaccount",
	component: "service-account-controller",
	watches: [
		watchRule(namespaces, (current, old) =>
			current !== undefined && old === undefined ? [current.metadata.name] : [],
		),
		watchRule(serviceAccounts, (current, old) =>
			current === undefined && old?.metadata.name === name ? [old.metadata.namespace ?? ""] : [],
		),
	],
	gather(key, informers) {
		const namespace = informers.of(namespaces).get(undefined, key);
		if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return undefined;
		return { namespace, exists: informers.of(serviceAccounts).get(key, name) !== undefined };
	},
	plan({ namespace, exists }) {
		if (exists) return { actions: [] };
		const metadata = { name, namespace: namespace.metadata.name };
		return { actions: [create(serviceAccounts, { metadata }, { orExists: true })] };
	},
};
