/** Garbage collection of one object (Kubernetes documentation, "Garbage Collection"). Pure. */
import type { DeleteOptions } from "../../client/client.ts";
import type { KubeObject, OwnerReference } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { confirmAbsent, confirmNone, event, patch, remove } from "../runtime/actions.ts";
import type { Action, Plan } from "../runtime/controller.ts";

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** An owner reference and the state of the owner. */
export interface Owner {
	reference: OwnerReference;
	/**
	 * `solid`: exists. `waiting`: is being deleted and waits for its dependents. `absent`: was not found. `unresolvable`:
	 * of an unknown kind, or of a namespaced kind while the dependent is cluster-scoped.
	 */
	state: "solid" | "waiting" | "absent" | "unresolvable";
	/** Unless unresolvable. */
	kind?: Kind;
	/** An object with that UID exists in another namespace. */
	inOtherNamespace?: boolean;
}

export interface Dependent {
	kind: Kind;
	object: KubeObject;
}

export interface GarbageState {
	kind: Kind;
	object: KubeObject;
	owners: readonly Owner[];
	/** Some object refers to this one as its owner. */
	hasDependents: boolean;
	/** A dependent has blockOwnerDeletion set. */
	isBlocked: boolean;
	/** A dependent waits for its own dependents: a cycle, perhaps including this object. */
	hasWaitingDependent: boolean;
	/**
	 * Only if the object is being deleted and its dependents are to be orphaned; likewise the kinds of possible
	 * dependents.
	 */
	dependents: readonly Dependent[];
	dependentKinds: readonly Kind[];
}

export function plan(state: GarbageState): Plan {
	return { actions: [...warnings(state), ...collect(state)] };
}

/** Waits for the deletion of its dependents. */
export function isWaiting(object: KubeObject): boolean {
	return isDeletedWith(object, foregroundFinalizer);
}

export function isOrphaning(object: KubeObject): boolean {
	return isDeletedWith(object, orphanFinalizer);
}

function isDeletedWith({ metadata }: KubeObject, finalizer: string): boolean {
	return metadata.deletionTimestamp !== undefined && (metadata.finalizers?.includes(finalizer) ?? false);
}

function collect(state: GarbageState): Action[] {
	const { object, owners } = state;
	if (isOrphaning(object)) return orphan(state);
	if (isWaiting(object)) return state.isBlocked ? owned(state) : [withoutFinalizer(state, foregroundFinalizer)];
	if (object.metadata.deletionTimestamp !== undefined || owners.length === 0) return [];
	return owned(state);
}

/** An object whose owners determine whether it is kept. */
function owned(state: GarbageState): Action[] {
	const { kind, object, owners } = state;
	const absent = owners.filter((owner) => owner.state === "absent");
	const waiting = owners.filter((owner) => owner.state === "waiting");
	const staying = owners.length - absent.length - waiting.length;
	if (absent.length === 0 && waiting.length === 0) return [];
	const checks = absent.flatMap((owner) => absenceCheck(owner, object));
	// An object that is already being deleted only has to be removed from cycles.
	if (staying > 0) {
		if (object.metadata.deletionTimestamp !== undefined) return [];
		const gone = new Set([...absent, ...waiting].map((owner) => owner.reference.uid));
		return [...checks, withReferences(kind, object, (references) => references.filter(({ uid }) => !gone.has(uid)))];
	}
	if (waiting.length > 0 && state.hasDependents) return deleteInForeground(state);
	if (object.metadata.deletionTimestamp !== undefined) return [];
	return [...checks, removeAsSeen(kind, object, policyOf(object))];
}

/** Its owner waits for it, and it waits for its own dependents; in a cycle, one of them must stop waiting. */
function deleteInForeground({ kind, object, hasWaitingDependent }: GarbageState): Action[] {
	const actions: Action[] = [];
	const blocks = object.metadata.ownerReferences?.some((reference) => reference.blockOwnerDeletion === true);
	if (hasWaitingDependent && blocks) {
		actions.push(
			withReferences(kind, object, (references) =>
				references.map((reference) => ({ ...reference, blockOwnerDeletion: false })),
			),
		);
	}
	if (object.metadata.deletionTimestamp === undefined) {
		actions.push(removeAsSeen(kind, object, "Foreground"));
	}
	return actions;
}

/** Deletes it only in the observed version: its owner may have released it in the meantime. */
function removeAsSeen(kind: Kind, object: KubeObject, propagationPolicy: DeleteOptions["propagationPolicy"]): Action {
	const { uid, resourceVersion } = object.metadata;
	return remove(kind, object, { options: { propagationPolicy, preconditions: { uid, resourceVersion } } });
}

function orphan(state: GarbageState): Action[] {
	const { uid } = state.object.metadata;
	const released = state.dependents.map(({ kind, object }) =>
		withReferences(kind, object, (references) => references.filter((reference) => reference.uid !== uid)),
	);
	const { name, namespace } = state.object.metadata;
	// A dependent that was just created may not be visible yet, and would be collected once its owner is deleted.
	const check = confirmNone(state.dependentKinds, state.kind.namespaced ? namespace : undefined, {
		which: `owned by ${state.kind.kind} ${name}`,
		matches: ({ metadata }) => metadata.ownerReferences?.some((reference) => reference.uid === uid) ?? false,
	});
	return [...released, check, withoutFinalizer(state, orphanFinalizer)];
}

/** Finalizers that were set on the object before determine how its own dependents are treated. */
function policyOf({ metadata }: KubeObject): DeleteOptions["propagationPolicy"] {
	if (metadata.finalizers?.includes(orphanFinalizer)) return "Orphan";
	return metadata.finalizers?.includes(foregroundFinalizer) ? "Foreground" : "Background";
}

/** Informers of different kinds lag differently: the owner may just not be visible yet. */
function absenceCheck({ kind, reference }: Owner, dependent: KubeObject): Action[] {
	if (kind === undefined) return [];
	const namespace = kind.namespaced ? dependent.metadata.namespace : undefined;
	return [confirmAbsent(kind, { namespace, name: reference.name }, reference.uid)];
}

function withReferences(
	kind: Kind,
	{ metadata }: KubeObject,
	change: (references: readonly OwnerReference[]) => OwnerReference[],
): Action {
	const { namespace, name, resourceVersion } = metadata;
	const ownerReferences = change(metadata.ownerReferences ?? []);
	return patch(
		kind,
		{ namespace, name },
		{
			type: "merge",
			patch: { metadata: { resourceVersion, ownerReferences: ownerReferences.length === 0 ? null : ownerReferences } },
		},
		{ orGone: true, unordered: true },
	);
}

function withoutFinalizer({ kind, object }: GarbageState, finalizer: string): Action {
	const { namespace, name, resourceVersion, finalizers = [] } = object.metadata;
	const rest = finalizers.filter((one) => one !== finalizer);
	return patch(
		kind,
		{ namespace, name },
		{ type: "merge", patch: { metadata: { resourceVersion, finalizers: rest.length === 0 ? null : rest } } },
		{ orGone: true },
	);
}

function warnings({ object, owners }: GarbageState): Action[] {
	const { namespace = "" } = object.metadata;
	return owners
		.filter((owner) => owner.inOtherNamespace || (owner.state === "unresolvable" && owner.kind !== undefined))
		.map(({ reference: { apiVersion, kind, name, uid } }) =>
			event(
				object,
				"Warning",
				"OwnerRefInvalidNamespace",
				`ownerRef [${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}] does not exist in namespace "${namespace}"`,
			),
		);
}
