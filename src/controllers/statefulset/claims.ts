/**
 * The claims of a StatefulSet's pods, and when they are deleted (Kubernetes documentation, "StatefulSets", "Stable
 * Storage"; KEP-1847).
 */
import { controllerReference, type Draft, type KubeObject, type OwnerReference } from "../../core/object.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet, Volume } from "../../kinds/generated/types.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { create, update } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";

export type Claims = ReadonlyMap<string, PersistentVolumeClaim>;

/** Names of the claims of the pod with this ordinal, in the order of the templates. */
export function claimNames(set: StatefulSet, ordinal: number): string[] {
	return (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => claimName(set, metadata.name, ordinal));
}

function claimName(set: StatefulSet, template: string, ordinal: number): string {
	return `${template}-${set.metadata.name}-${ordinal}`;
}

/** The pod's volumes, beginning with those of its claims, which replace volumes of the same name. */
export function withClaimVolumes(set: StatefulSet, volumes: readonly Volume[] = [], ordinal: number): Volume[] {
	const own = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({
		name: metadata.name,
		persistentVolumeClaim: { claimName: claimName(set, metadata.name, ordinal) },
	}));
	const names = new Set(own.map(({ name }) => name));
	return [...own, ...volumes.filter(({ name }) => !names.has(name))];
}

/** Creates the missing claims of a pod. */
export function missingClaims(set: StatefulSet, ordinal: number, claims: Claims): Action[] {
	const pod = `${set.metadata.name}-${ordinal}`;
	return (set.spec.volumeClaimTemplates ?? []).flatMap((template) => {
		const name = claimName(set, template.metadata.name, ordinal);
		if (claims.has(name)) return [];
		const done = `create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`;
		const failed = `create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: {error}`;
		return create(persistentVolumeClaims, claimDraft(set, template, name), {
			event: { regarding: set, type: "Normal", reason: "SuccessfulCreate", message: done },
			failureEvent: { regarding: set, type: "Warning", reason: "FailedCreate", message: failed },
		});
	});
}

function claimDraft(set: StatefulSet, template: PersistentVolumeClaim, name: string): Draft<PersistentVolumeClaim> {
	const { labels, annotations, finalizers } = template.metadata;
	return {
		metadata: {
			name,
			namespace: set.metadata.namespace,
			labels: { ...labels, ...set.spec.selector.matchLabels },
			...(annotations === undefined ? {} : { annotations }),
			...(finalizers === undefined ? {} : { finalizers }),
			...(wantedOwner(set, true) === "set" ? { ownerReferences: [controllerReference(set)] } : {}),
		},
		spec: template.spec,
	};
}

/** The first claim of a pod that is being deleted: the pod has to wait for a new one. */
export function claimBeingDeleted(
	set: StatefulSet,
	ordinal: number,
	claims: Claims,
): PersistentVolumeClaim | undefined {
	for (const name of claimNames(set, ordinal)) {
		const claim = claims.get(name);
		if (claim?.metadata.deletionTimestamp !== undefined) return claim;
	}
	return undefined;
}

/**
 * Whether a claim still belongs to an earlier pod with this name: it is deleted with that pod, so a new one must not
 * use it.
 */
export function hasStaleClaim(set: StatefulSet, ordinal: number, claims: Claims): boolean {
	const pod = `${set.metadata.name}-${ordinal}`;
	return claimNames(set, ordinal).some((name) =>
		claims.get(name)?.metadata.ownerReferences?.some((reference) => isPod(reference) && reference.name === pod),
	);
}

/** Sets or removes the owner of a pod's claims according to the retention policy. */
export function retentionActions(
	set: StatefulSet,
	pod: Pod,
	ordinal: number,
	within: boolean,
	claims: Claims,
): Action[] {
	return claimNames(set, ordinal).flatMap((name) => {
		const claim = claims.get(name);
		const references = claim && wantedReferences(claim, set, pod, within);
		if (claim === undefined || references === undefined) return [];
		const { ownerReferences: _, ...metadata } = claim.metadata;
		const owned = references.length === 0 ? metadata : { ...metadata, ownerReferences: references };
		return update(persistentVolumeClaims, { ...claim, metadata: owned });
	});
}

/** The desired owner of a claim. `within`: the set has its ordinal. */
function wantedOwner(set: StatefulSet, within: boolean): "set" | "pod" | undefined {
	const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
	if (whenScaled === "Delete" && !within) return "pod";
	return whenDeleted === "Delete" ? "set" : undefined;
}

/** The owner references that the claim should have; undefined if it has them, or if another controller manages it. */
function wantedReferences(
	claim: PersistentVolumeClaim,
	set: StatefulSet,
	pod: Pod,
	within: boolean,
): OwnerReference[] | undefined {
	const references = claim.metadata.ownerReferences ?? [];
	const stale = (owner: KubeObject) =>
		references.some(
			({ kind, name, uid }) => kind === owner.kind && name === owner.metadata.name && uid !== owner.metadata.uid,
		);
	if (stale(set) || stale(pod)) return undefined;
	const ours = references.filter(({ uid }) => uid === set.metadata.uid || uid === pod.metadata.uid);
	const others = references.filter((reference) => !ours.includes(reference));
	const wanted = wantedOwner(set, within);
	// Another controller's claim is not deleted here.
	const owner =
		others.some(({ controller }) => controller) || wanted === undefined ? [] : [wanted === "set" ? set : pod];
	const right =
		ours.length === owner.length && ours.every(({ uid, controller }) => controller && uid === owner[0]?.metadata.uid);
	return right ? undefined : [...others, ...owner.map(controllerReference)];
}

function isPod({ apiVersion, kind }: OwnerReference): boolean {
	return apiVersion === "v1" && kind === "Pod";
}
