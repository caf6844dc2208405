/** Empties namespaces that are being deleted, and lets them go. */
import type { KubeObject } from "../../core/object.ts";
import { events } from "../../kinds/core/event.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { Namespace } from "../../kinds/generated/types.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { type NamespaceState, plan } from "./plan.ts";

/**
 * Events are not watched: nothing waits for one of them to go, and there are more of them than of all the rest. What
 * the cluster writes itself (runs) it also takes away itself.
 * @param registry of the kinds that namespaces may hold; kinds that join later count after a restart of the controller
 */
export function namespaceController(registry: Registry): Controller<NamespaceState> {
	const kinds = registry.all().filter((kind) => kind.namespaced && kind !== (events as Kind) && !kind.readOnly);
	return {
		name: "namespace",
		component: "namespace-controller",
		concurrency: 10,
		watches: [
			watchRule(namespaces, (current: Namespace | undefined) => (current === undefined ? [] : [current.metadata.name])),
			...kinds.map((kind: Kind) =>
				watchRule(kind, (current: KubeObject | undefined, old: KubeObject | undefined, mirror) => {
					const name = (current ?? old)?.metadata.namespace;
					if (name === undefined) return [];
					// Only what is in, or enters, a namespace that goes: not every change of every object.
					const namespace = mirror.of(namespaces).get(undefined, name);
					if (namespace?.metadata.deletionTimestamp === undefined) return [];
					return current === undefined || old === undefined ? [name] : [];
				}),
			),
		],
		// A namespace of thousands of objects is not recounted for each that goes.
		coalesceMs: () => 50,
		gather(key, mirror) {
			const namespace = mirror.of(namespaces).get(undefined, key);
			if (namespace === undefined) return undefined;
			if (namespace.metadata.deletionTimestamp === undefined) return { namespace, content: [], kinds };
			const content = kinds
				.map((kind) => ({ kind, objects: [...mirror.of(kind).list(key)] }))
				.filter(({ objects }) => objects.length > 0);
			return { namespace, content, kinds };
		},
		plan,
	};
}
