/** Garbage collection: deletes objects whose owners were deleted. Uses only the metadata of objects. */
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import { type KubeObject, type OwnerReference, objectKey, parseKey } from "../../core/object.ts";
import { events } from "../../kinds/core/event.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { type JoinedKinds, joinKinds, noKinds } from "../../kinds/engine/joined-kinds.ts";
import { type Kind, qualifiedResource } from "../../kinds/engine/kind.ts";
import { type KindSource, ofAllKinds, type Registry } from "../../kinds/engine/registry.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { type Dependent, type GarbageState, isOrphaning, isWaiting, type Owner, plan } from "./plan.ts";

/** Events have no owners, and neither do objects that the cluster writes itself; there are many of both. */
function isCollected(kind: Kind): boolean {
	return kind !== (events as Kind) && !kind.readOnly;
}

/**
 * @param registry of the kinds to collect
 * @param remote kinds that extension API servers serve: they are collected, and own, as others
 */
export function garbageCollectorController(registry: Registry, remote: KindSource = noKinds): Controller<GarbageState> {
	const kinds = joinKinds(registry, remote);
	const graph = new OwnerGraph(kinds);
	return {
		name: "garbage-collector",
		component: "garbage-collector-controller",
		account: "generic-garbage-collector",
		concurrency: 20,
		watches: [],
		follows: {
			kinds,
			rule: (kind) =>
				isCollected(kind)
					? watchRule(kind, (current, old, informers) => graph.concerned(kind, current, old, informers))
					: undefined,
		},
		gather: (key, informers) => graph.gather(key, informers),
		plan,
	};
}

/** Who owns what, among objects of all kinds. Keys are `<resource>|<object key>`. */
class OwnerGraph {
	readonly #kinds: JoinedKinds;
	readonly #collected: () => { kinds: readonly Kind[]; byResource: ReadonlyMap<string, Kind> };

	constructor(joined: JoinedKinds) {
		this.#kinds = joined;
		this.#collected = ofAllKinds(joined, (all) => {
			const kinds = all.filter(isCollected);
			return { kinds, byResource: new Map(kinds.map((kind) => [qualifiedResource(kind), kind])) };
		});
	}

	/** Keys of objects that a change of this one may concern. */
	*concerned(
		kind: Kind,
		current: KubeObject | undefined,
		old: KubeObject | undefined,
		informers: InformerCache,
	): Iterable<string> {
		if (current !== undefined) {
			if (!concernsUs(current, old)) return;
			yield keyOf(kind, current);
			if (isWaiting(current) && (old === undefined || !isWaiting(old))) yield* this.#dependentsOf(current, informers);
			const { ownerReferences } = current.metadata;
			if (old !== undefined && !sameJson(ownerReferences, old.metadata.ownerReferences))
				yield* this.#waitingOwners(old, informers);
		} else if (old !== undefined) {
			yield* this.#dependentsOf(old, informers);
			yield* this.#waitingOwners(old, informers);
		}
	}

	gather(key: string, informers: InformerCache): GarbageState | undefined {
		const cut = key.indexOf("|");
		const kind = this.#collected().byResource.get(key.slice(0, cut));
		if (kind === undefined) return undefined;
		const { namespace, name } = parseKey(key.slice(cut + 1));
		const object = informers.of(kind).get(namespace, name);
		return object && this.#stateOf(kind, object, informers);
	}

	/** Owners that may have waited for this object: it was deleted, or does not block them any more. */
	*#waitingOwners({ metadata }: KubeObject, informers: InformerCache): Iterable<string> {
		for (const { apiVersion, kind: ownerKind, name, uid } of metadata.ownerReferences ?? []) {
			const resolved = this.#kinds.kind(apiVersion, ownerKind);
			if (resolved === undefined) continue;
			const owner = informers.of(resolved).get(resolved.namespaced ? metadata.namespace : undefined, name);
			if (owner?.metadata.uid === uid && isWaiting(owner)) yield keyOf(resolved, owner);
		}
	}

	*#dependentsOf(owner: KubeObject, informers: InformerCache): Iterable<string> {
		for (const { kind, object } of this.#dependents(owner, informers)) yield keyOf(kind, object);
	}

	*#dependents(owner: KubeObject, informers: InformerCache): Iterable<Dependent> {
		for (const kind of this.#collected().kinds)
			for (const object of informers.of(kind).ownedBy(owner.metadata.uid)) yield { kind, object };
	}

	#stateOf(kind: Kind, object: KubeObject, informers: InformerCache): GarbageState {
		const owners = (object.metadata.ownerReferences ?? []).map((reference) =>
			this.#ownerOf(kind, object, reference, informers),
		);
		const orphaning = isOrphaning(object);
		const state = { kind, object, owners, hasDependents: false, isBlocked: false, hasWaitingDependent: false };
		const found: Dependent[] = [];
		if (!orphaning && !isWaiting(object) && !owners.some((owner) => owner.state === "waiting")) {
			return { dependents: found, dependentKinds: [], ...state };
		}
		for (const dependent of this.#dependents(object, informers)) {
			// Any user may name an owner in another namespace: that has no effect on the owner.
			if (kind.namespaced && dependent.object.metadata.namespace !== object.metadata.namespace) continue;
			state.hasDependents = true;
			state.hasWaitingDependent ||= isWaiting(dependent.object);
			state.isBlocked ||= blocks(dependent.object, object);
			if (orphaning) found.push(dependent);
			else if (state.isBlocked && state.hasWaitingDependent) break;
		}
		const dependentKinds = orphaning ? this.#collected().kinds.filter((one) => this.#mayDepend(one, kind)) : [];
		return { dependents: found, dependentKinds, ...state };
	}

	/** A server that does not answer must not hold up the deletion of other servers' objects. */
	#mayDepend(dependent: Kind, owner: Kind): boolean {
		return (dependent.namespaced || !owner.namespaced) && (!this.#kinds.isRemote(dependent) || dependent === owner);
	}

	#ownerOf(kind: Kind, object: KubeObject, reference: OwnerReference, informers: InformerCache): Owner {
		const ownerKind = this.#kinds.kind(reference.apiVersion, reference.kind);
		if (ownerKind === undefined) return { reference, state: "unresolvable" };
		if (ownerKind.namespaced && !kind.namespaced) return { reference, state: "unresolvable", kind: ownerKind };
		const informer: Informer<KubeObject> = informers.of(ownerKind);
		const namespace = ownerKind.namespaced ? object.metadata.namespace : undefined;
		const owner = informer.get(namespace, reference.name);
		if (owner?.metadata.uid === reference.uid) {
			return { reference, state: isWaiting(owner) ? "waiting" : "solid", kind: ownerKind };
		}
		const inOtherNamespace = ownerKind.namespaced && existsElsewhere(informer, reference, informers);
		return { reference, state: "absent", kind: ownerKind, ...(inOtherNamespace ? { inOtherNamespace } : {}) };
	}
}

function existsElsewhere(
	informer: Informer<KubeObject>,
	{ name, uid }: OwnerReference,
	informers: InformerCache,
): boolean {
	for (const { metadata } of informers.of(namespaces).list()) {
		if (informer.get(metadata.name, name)?.metadata.uid === uid) return true;
	}
	return false;
}

/** Most changes are of status or spec and do not matter here. */
function concernsUs(current: KubeObject, old: KubeObject | undefined): boolean {
	const { metadata } = current;
	if (old === undefined) return metadata.ownerReferences !== undefined || metadata.deletionTimestamp !== undefined;
	return (
		metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
		(metadata.deletionTimestamp !== undefined && !sameJson(metadata.finalizers, old.metadata.finalizers)) ||
		!sameJson(metadata.ownerReferences, old.metadata.ownerReferences)
	);
}

function blocks(dependent: KubeObject, owner: KubeObject): boolean {
	const references = dependent.metadata.ownerReferences ?? [];
	return references.some(({ uid, blockOwnerDeletion }) => uid === owner.metadata.uid && blockOwnerDeletion === true);
}

function keyOf(kind: Kind, object: KubeObject): string {
	return `${qualifiedResource(kind)}|${objectKey(object)}`;
}
