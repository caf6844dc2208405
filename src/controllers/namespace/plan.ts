/** The deletion of a namespace (Kubernetes documentation, "Namespaces"). Pure. */

import { sameJson } from "../../core/equal.ts";
import type { KubeObject } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { RemoteResources } from "../../kinds/apiregistration/remote-kind.ts";
import { events } from "../../kinds/core/event.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Namespace, NamespaceCondition } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { confirmNone, remove, removeAll, update, updateStatus } from "../runtime/actions.ts";
import type { Action, ActionFailure, Plan, PlanContext } from "../runtime/controller.ts";

/** In `spec.finalizers` until the namespace is empty. */
export const namespaceFinalizer = "kubernetes";

export interface NamespaceState {
	namespace: Namespace;
	/** The remaining objects, by kind. */
	content: readonly { kind: Kind; objects: readonly KubeObject[] }[];
	/** All kinds that it may contain, except Events. */
	kinds: readonly Kind[];
	/** What extension API servers serve. */
	remote: RemoteResources;
}

/** Until an extension API server may say again what it serves. */
const patienceMs = 5000;

export function plan({ namespace, content, kinds, remote }: NamespaceState, context: PlanContext): Plan {
	const finalizers = namespace.spec.finalizers ?? [];
	if (namespace.metadata.deletionTimestamp === undefined || !finalizers.includes(namespaceFinalizer)) {
		return { actions: [] };
	}
	const status = statusOf(namespace, content, remote.stale, context);
	const changed = !sameJson(status, namespace.status);
	const actions: Action[] = changed ? [updateStatus(namespaces, { ...namespace, status })] : [];
	if (content.length === 0) {
		const rest = finalizers.filter((finalizer) => finalizer !== namespaceFinalizer);
		const { resourceVersion: _resourceVersion, ...metadata } = namespace.metadata;
		// Without the resourceVersion, which the new status changes: no other client removes this finalizer.
		const emptied = { ...namespace, metadata, spec: { ...namespace.spec, finalizers: rest } } as Namespace;
		const elsewhere = remote.namespaced.map((kind) => removeAll(kind, namespace.metadata.name));
		if (remote.stale.length > 0) return { actions: [...actions, ...elsewhere], requeueAfterMs: patienceMs };
		// An object that is missing in the informer cache may just not be visible yet, and would be left behind.
		const check = confirmNone([...kinds, ...remote.namespaced], namespace.metadata.name);
		const rid = removeAll(events, namespace.metadata.name);
		return {
			actions: [...actions, ...elsewhere, check, rid, update(namespaces, emptied, { subresource: "finalize" })],
		};
	}
	return { actions: [...actions, ...deletions(content)] };
}

/** Pods first: what they still use, such as network policies and secrets, is deleted after them (KEP-5080). */
function deletions(content: NamespaceState["content"]): Action[] {
	const podContent = content.filter(({ kind }) => kind === (pods as Kind));
	return (podContent.length > 0 ? podContent : content).flatMap(({ kind, objects }) =>
		objects
			.filter((object) => object.metadata.deletionTimestamp === undefined)
			.map((object) => remove(kind, object, { options: { propagationPolicy: "Background" } })),
	);
}

function statusOf(
	namespace: Namespace,
	content: NamespaceState["content"],
	stale: readonly string[],
	{ nowMs, failure }: PlanContext,
): Namespace["status"] {
	const conditions = [
		discoveryFailure(stale),
		condition(
			"NamespaceDeletionGroupVersionParsingFailure",
			false,
			"ParsedGroupVersions",
			"All legacy kube types successfully parsed",
		),
		contentFailure(failure),
		contentRemaining(content),
		finalizersRemaining(content),
	];
	const before = new Map(namespace.status?.conditions?.map((one) => [one.type, one]));
	return {
		...namespace.status,
		phase: "Terminating",
		conditions: conditions.map((one) => {
			const old = before.get(one.type);
			const unchanged = old?.status === one.status && old.lastTransitionTime !== undefined;
			return { ...one, lastTransitionTime: unchanged ? old.lastTransitionTime : timestamp(nowMs) };
		}),
	};
}

function condition(type: string, holds: boolean, reason: string, message: string): NamespaceCondition {
	return { type, status: holds ? "True" : "False", lastTransitionTime: undefined, reason, message };
}

function discoveryFailure(stale: readonly string[]): NamespaceCondition {
	const type = "NamespaceDeletionDiscoveryFailure";
	if (stale.length === 0) return condition(type, false, "ResourcesDiscovered", "All resources successfully discovered");
	const each = stale.map((version) => `${version}: stale GroupVersion discovery: ${version}`).join(", ");
	const why = `unable to retrieve the complete list of server APIs: ${each}`;
	const message = `Discovery failed for some groups, ${stale.length} failing: ${why}`;
	return condition(type, true, "DiscoveryFailed", message);
}

function contentFailure(failure: ActionFailure | undefined): NamespaceCondition {
	const type = "NamespaceDeletionContentFailure";
	if (failure?.do === "delete" || failure?.do === "deleteAll") {
		return condition(
			type,
			true,
			"ContentDeletionFailed",
			`Failed to delete all resource types, 1 remaining: ${failure.message}`,
		);
	}
	return condition(type, false, "ContentDeleted", "All content successfully deleted, may be waiting on finalization");
}

function contentRemaining(content: NamespaceState["content"]): NamespaceCondition {
	const type = "NamespaceContentRemaining";
	if (content.length === 0) return condition(type, false, "ContentRemoved", "All content successfully removed");
	const remaining = content.map(
		({ kind, objects }) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`,
	);
	return condition(type, true, "SomeResourcesRemain", `Some resources are remaining: ${remaining.sort().join(", ")}`);
}

function finalizersRemaining(content: NamespaceState["content"]): NamespaceCondition {
	const type = "NamespaceFinalizersRemaining";
	const counts = new Map<string, number>();
	for (const { objects } of content) {
		for (const { metadata } of objects) {
			for (const finalizer of metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
		}
	}
	if (counts.size === 0) {
		return condition(type, false, "ContentHasNoFinalizers", "All content-preserving finalizers finished");
	}
	const remaining = [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
	return condition(
		type,
		true,
		"SomeFinalizersRemain",
		`Some content in the namespace has finalizers remaining: ${remaining.sort().join(", ")}`,
	);
}
