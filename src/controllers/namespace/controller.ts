/** Deletes the contents of namespaces that are being deleted, and then removes their finalizer. */
import type { KubeObject } from "../../core/object.ts";
import { noRemoteResources, type RemoteResources } from "../../kinds/apiregistration/remote-kind.ts";
import { events } from "../../kinds/core/event.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { type KindSource, ofAllKinds } from "../../kinds/engine/registry.ts";
import type { Namespace } from "../../kinds/generated/types.ts";
import { type Controller, type WatchRule, watchRule } from "../runtime/controller.ts";
import { type NamespaceState, plan } from "./plan.ts";

/**
 * Events are not watched: nothing depends on their deletion, and they outnumber all other objects. The cluster also
 * deletes what it writes itself (runs).
 * @param registry of the kinds that namespaces may contain
 * @param remote what extension API servers serve: it is not watched, and deleted when all else is gone
 */
export function namespaceController(
	registry: KindSource,
	remote: () => RemoteResources = () => noRemoteResources,
): Controller<NamespaceState> {
	const isContent = (kind: Kind) => kind.namespaced && kind !== (events as Kind) && !kind.readOnly;
	const contentKinds = ofAllKinds(registry, (all) => all.filter(isContent));
	return {
		name: "namespace",
		component: "namespace-controller",
		concurrency: 10,
		watches: [
			watchRule(namespaces, (current: Namespace | undefined) => (current === undefined ? [] : [current.metadata.name])),
		],
		follows: { kinds: registry, rule: (kind) => (isContent(kind) ? contentRule(kind) : undefined) },
		// A namespace with thousands of objects is not recounted after each deletion.
		coalesceMs: () => 50,
		gather(key, informers) {
			const namespace = informers.of(namespaces).get(undefined, key);
			if (namespace === undefined) return undefined;
			const kinds = contentKinds();
			if (namespace.metadata.deletionTimestamp === undefined)
				return { namespace, content: [], kinds, remote: noRemoteResources };
			const content = kinds
				.map((kind) => ({ kind, objects: [...informers.of(kind).list(key)] }))
				.filter(({ objects }) => objects.length > 0);
			return { namespace, content, kinds, remote: remote() };
		},
		plan,
	};
}

/** Only objects in a terminating namespace: not every change of every object. */
function contentRule(kind: Kind): WatchRule {
	return watchRule(kind, (current: KubeObject | undefined, old: KubeObject | undefined, informers) => {
		const name = (current ?? old)?.metadata.namespace;
		if (name === undefined) return [];
		const namespace = informers.of(namespaces).get(undefined, name);
		if (namespace?.metadata.deletionTimestamp === undefined) return [];
		return current === undefined || old === undefined ? [name] : [];
	});
}
