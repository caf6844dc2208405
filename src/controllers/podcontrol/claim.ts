/**
 * Which objects a controller manages: those with its controller reference, and, after their adoption, those without one
 * that its selector matches (Kubernetes design document "controller-ref").
 */
import type { InformerCache } from "../../client/informer-cache.ts";
import {
	controllerOf,
	controllerReference,
	type KubeObject,
	type OwnerReference,
	objectKey,
} from "../../core/object.ts";
import { type LabelSelector, type Selector, selectorFrom } from "../../core/selection/selector.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { confirm, patch } from "../runtime/actions.ts";
import { type Action, type WatchRule, watchRule } from "../runtime/controller.ts";

/** Index of objects without a controller, by namespace. */
const orphanIndex = {
	orphan: (object: KubeObject): readonly string[] =>
		controllerOf(object) === undefined ? [object.metadata.namespace ?? ""] : [],
};

export interface Claimable<T extends KubeObject> {
	/** Objects with the owner's controller reference. */
	controlled: readonly T[];
	/** Objects without a controller in the owner's namespace that its selector matches. */
	orphans: readonly T[];
}

/** The objects that `owner` manages or could adopt, without examining others of the kind. */
export function gatherClaimable<T extends KubeObject>(
	informers: InformerCache,
	kind: Kind<T>,
	owner: KubeObject,
	selector: Selector,
): Claimable<T> {
	const informer = informers.of(kind);
	const orphans: T[] = [];
	for (const orphan of informer.byIndex("orphan", owner.metadata.namespace ?? "")) {
		if (selector.matches(orphan.metadata.labels)) orphans.push(orphan);
	}
	return { controlled: [...informer.controlledBy(owner.metadata.uid)], orphans };
}

/**
 * Determines the owner's objects, with the actions that this requires: adopts matching orphans, and releases what no
 * longer matches.
 * @param accepts an additional condition for objects
 * @param may whether an object may be adopted or released now; others (finished pods) still count as the owner's if
 * they have its reference
 */
export function claim<T extends KubeObject>(
	kinds: { owner: Kind; object: Kind<T> },
	owner: KubeObject,
	selector: Selector,
	{ controlled, orphans }: Claimable<T>,
	accepts: (object: T) => boolean = () => true,
): { mine: T[]; actions: Action[] } {
	const mine: T[] = [];
	const actions: Action[] = [];
	const deleted = owner.metadata.deletionTimestamp !== undefined;
	const matches = (object: T) => selector.matches(object.metadata.labels) && accepts(object);
	for (const object of controlled) {
		if (matches(object)) mine.push(object);
		else if (!deleted) actions.push(release(kinds.object, object, owner));
	}
	if (deleted) return { mine, actions };
	const adoptions: Action[] = [];
	for (const object of orphans) {
		if (object.metadata.deletionTimestamp !== undefined || !matches(object)) continue;
		mine.push(object);
		adoptions.push(adopt(kinds.object, object, owner));
	}
	if (adoptions.length > 0) actions.push(confirm(kinds.owner, owner), ...adoptions);
	return { mine, actions };
}

// The UID in both patches is a precondition: another object with the same name is not changed.

/**
 * An orphan that no longer exists ends the plan, which counted it as the owner's: it must not be replaced before the
 * next plan.
 */
function adopt(kind: Kind, object: KubeObject, owner: KubeObject): Action {
	const metadata = { uid: object.metadata.uid, ownerReferences: [controllerReference(owner)] };
	return patch(kind, refOf(object), { type: "strategic", patch: { metadata } });
}

function release(kind: Kind, object: KubeObject, owner: KubeObject): Action {
	const ownerReferences = [{ $patch: "delete", uid: owner.metadata.uid }];
	const metadata = { uid: object.metadata.uid, ownerReferences };
	return patch(kind, refOf(object), { type: "strategic", patch: { metadata } }, { orGone: true });
}

function refOf(object: KubeObject): { namespace?: string; name: string } {
	return { namespace: object.metadata.namespace, name: object.metadata.name };
}

/** Selectors are compiled once per selector object: stored objects are frozen. */
const compiled = new WeakMap<object, Selector>();

export function selectorOf(selector: LabelSelector | undefined): Selector {
	if (selector === undefined) return selectorFrom(undefined);
	let found = compiled.get(selector);
	if (found === undefined) {
		found = selectorFrom(selector);
		compiled.set(selector, found);
	}
	return found;
}

/**
 * A watch of the objects that controllers of `owners` manage: a change wakes the controller of the object before and
 * after it, and for an orphan every one that could adopt it.
 * @param matters returns false for changes that are ignored
 */
export function watchOwned<Owner extends KubeObject, T extends KubeObject>(
	owners: Kind<Owner>,
	kind: Kind<T>,
	selectorFor: (owner: Owner) => Selector,
	matters: (current: T | undefined, old: T | undefined) => boolean = () => true,
): WatchRule {
	return watchRule<T>(
		kind,
		(current, old, informers) => {
			const owner = current && controllerOf(current);
			const oldOwner = old && controllerOf(old);
			const isOrphan = current !== undefined && owner === undefined;
			// Most objects belong to other owners: skip them cheaply, and check only the rest in detail.
			if (!isOrphan && !isOf(owners, owner) && !isOf(owners, oldOwner)) return [];
			if (!matters(current, old)) return [];
			const keys = new Set<string>();
			if (isOf(owners, owner)) keys.add(`${current?.metadata.namespace}/${owner.name}`);
			if (isOf(owners, oldOwner)) keys.add(`${old?.metadata.namespace}/${oldOwner.name}`);
			if (isOrphan) {
				for (const adopter of informers.of(owners).list(current.metadata.namespace)) {
					if (selectorFor(adopter).matches(current.metadata.labels)) keys.add(objectKey(adopter));
				}
			}
			return keys;
		},
		{ indexes: orphanIndex },
	);
}

/** Whether the reference is to an object of the kind, in any version. */
function isOf(kind: Kind, owner: OwnerReference | undefined): owner is OwnerReference {
	if (owner?.kind !== kind.kind) return false;
	return kind.group === "" ? owner.apiVersion === kind.version : owner.apiVersion.startsWith(`${kind.group}/`);
}
