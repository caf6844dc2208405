import { objectKey, parseKey } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet, StorageClass } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { growAnnotation, isAsked } from "../../kinds/self-help/annotations.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../../kinds/storage/storageclass.ts";
import { type Claimable, gatherClaimable, selectorOf, watchOwned } from "../podcontrol/claim.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { freeName } from "../revisions/history.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";
import { type Claims, claimNames } from "./claims.ts";
import type { StorageClasses } from "./extras.ts";
import { ordinalOf, replicasOf, startOf } from "./identity.ts";
import { plan } from "./plan.ts";
import type { StatefulSetState } from "./state.ts";

const none: StorageClasses = new Map();

const selectorFor = ({ spec }: StatefulSet) => selectorOf(spec.selector);

/** Maintains pods with stable identities and storage (Kubernetes documentation, "StatefulSets"). */
export const statefulSetController: Controller<StatefulSetState> = {
	name: "statefulset",
	component: "statefulset-controller",
	watches: [
		watchRule(statefulSets, (current, old) => [current, old].flatMap((set) => (set ? [objectKey(set)] : []))),
		watchOwned(statefulSets, podKind, selectorFor, matters),
		watchRule(podKind, namesakeKeys),
		// A deleted revision may have to be recreated. New and changed ones do not cause a sync, as upstream, so that
		// revisions that users create manually are kept.
		watchOwned(statefulSets, controllerRevisions, selectorFor, (current) => current === undefined),
		watchRule(persistentVolumeClaims, claimKeys),
		watchRule(storageClasses, classKeys, { expectations: false }),
	],
	coalesceMs: (key, informers) => coalesceMsFor(find(key, informers)?.status?.replicas),
	gather,
	plan,
};

function find(key: string, informers: InformerCache): StatefulSet | undefined {
	const { namespace, name } = parseKey(key);
	return informers.of(statefulSets).get(namespace, name);
}

function gather(key: string, informers: InformerCache): StatefulSetState | undefined {
	const set = find(key, informers);
	if (set === undefined) return undefined;
	const pods = gatherClaimable(informers, podKind, set, selectorFor(set));
	const history = gatherClaimable(informers, controllerRevisions, set, selectorFor(set));
	const newRevision = freeName(informers, set, set.spec.template);
	const claims = claimsOf(set, pods, informers);
	return { set, pods, history, claims, storageClasses: classesOf(set, informers), newRevision };
}

function classesOf(set: StatefulSet, informers: InformerCache): StorageClasses {
	if (!isAsked(set, growAnnotation)) return none;
	return new Map([...informers.of(storageClasses).list()].map((one) => [one.metadata.name, one]));
}

/** Sets whose claims may be able to grow now. */
function classKeys(
	_current: StorageClass | undefined,
	_old: StorageClass | undefined,
	informers: InformerCache,
): string[] {
	return [...informers.of(statefulSets).list()].filter((set) => isAsked(set, growAnnotation)).map(objectKey);
}

function claimsOf(set: StatefulSet, { controlled, orphans }: Claimable<Pod>, informers: InformerCache): Claims {
	const claims = new Map<string, PersistentVolumeClaim>();
	if (!set.spec.volumeClaimTemplates?.length) return claims;
	const ordinals = new Set<number>();
	for (let index = 0; index < replicasOf(set); index++) ordinals.add(startOf(set) + index);
	for (const pod of [...controlled, ...orphans]) {
		const ordinal = ordinalOf(set, pod);
		if (ordinal !== undefined) ordinals.add(ordinal);
	}
	for (const ordinal of ordinals) {
		for (const name of claimNames(set, ordinal)) {
			const claim = informers.of(persistentVolumeClaims).get(set.metadata.namespace, name);
			if (claim !== undefined) claims.set(name, claim);
		}
	}
	return claims;
}

/** A deleted pod may have had a name that a set needs, regardless of its owner. */
function namesakeKeys(current: Pod | undefined, old: Pod | undefined, informers: InformerCache): string[] {
	if (current !== undefined || old === undefined) return [];
	const { namespace, name } = old.metadata;
	const set = informers.of(statefulSets).get(namespace, name.slice(0, Math.max(name.lastIndexOf("-"), 0)));
	return set === undefined ? [] : [objectKey(set)];
}

/**
 * A pod may wait for a claim to be deleted, or to change its owner. Claims do not refer to their set, but their name
 * identifies it.
 */
function claimKeys(
	current: PersistentVolumeClaim | undefined,
	old: PersistentVolumeClaim | undefined,
	informers: InformerCache,
): string[] {
	const claim = current ?? old;
	if (claim === undefined) return [];
	const news =
		current === undefined ||
		(old !== undefined &&
			(current.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
				current.metadata.ownerReferences?.length !== old.metadata.ownerReferences?.length));
	if (!news) return [];
	const keys: string[] = [];
	for (const set of informers.of(statefulSets).list(claim.metadata.namespace)) {
		const prefixes = set.spec.volumeClaimTemplates?.map(({ metadata }) => `${metadata.name}-${set.metadata.name}-`);
		if (prefixes?.some((prefix) => claim.metadata.name.startsWith(prefix))) keys.push(objectKey(set));
	}
	return keys;
}
