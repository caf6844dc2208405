import { controllerOf } from "../../../src/core/object.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../../src/kinds/generated/types.ts";
import type { Truth } from "../truth.ts";
import { type Invariant, isHealthy, isReady, longestLagMs, ordinalOf } from "./invariant.ts";

/** Under OrderedReady no ordinal is made before all that come before it have been ready. */
export function statefulSetOrder(): Invariant {
	/**
	 * Name of a pod → when (`runningMs`) one of that name was last seen healthy, no matter who it belonged to: sets are
	 * deleted and adopt pods.
	 */
	const readyMs = new Map<string, number>();
	return {
		observe(current, old, truth) {
			if (current?.kind !== "Pod" && old?.kind !== "Pod") return;
			// It is of that kind.
			const pod = (current ?? old) as Pod;
			const nowMs = truth.runningMs();
			const { name } = pod.metadata;
			if (isHealthy(old as Pod | undefined) || isHealthy(current as Pod | undefined)) readyMs.set(name, nowMs);
			const owner = controllerOf(pod);
			if (owner?.kind !== "StatefulSet") return;
			const ordinal = ordinalOf(pod);
			// Owner references name the kind.
			const set = truth.byUid.get(owner.uid) as StatefulSet | undefined;
			if (old !== undefined || current === undefined || set === undefined) return;
			if (set.spec.podManagementPolicy === "Parallel") return;
			const ready = new Set<number>();
			for (const other of truth.controlledBy(set, "Pod")) if (isHealthy(other as Pod)) ready.add(ordinalOf(other));
			for (let before = set.spec.ordinals?.start ?? 0; before < ordinal; before++) {
				const lastMs = readyMs.get(`${set.metadata.name}-${before}`);
				if (ready.has(before) || (lastMs !== undefined && nowMs - lastMs < longestLagMs)) continue;
				truth.violation(`${name} was made while ${set.metadata.name}-${before} was not ready`);
			}
		},
	};
}

/** An identity's claims stay, unless the set says otherwise, and every pod of that identity gets them again. */
export function keptClaims(): Invariant {
	/** Name of a claim that is to be kept → its uid. */
	const kept = new Map<string, string>();
	/** uid of a claim → the volume it was bound to. */
	const bound = new Map<string, string>();
	return {
		observe(current, old, truth) {
			if (current?.kind === "PersistentVolumeClaim") {
				// It is of that kind.
				const { metadata, spec } = current as PersistentVolumeClaim;
				const volume = bound.get(metadata.uid);
				if (volume !== undefined && volume !== spec.volumeName) {
					truth.violation(`claim ${metadata.name} moved from ${volume} to ${spec.volumeName}`);
				}
				if (spec.volumeName) bound.set(metadata.uid, spec.volumeName);
				if (isKept(metadata.name)) {
					const uid = kept.get(metadata.name) ?? metadata.uid;
					if (uid !== metadata.uid) truth.violation(`claim ${metadata.name} was recreated`);
					kept.set(metadata.name, uid);
				}
			}
			if (old?.kind === "PersistentVolumeClaim" && current === undefined && isKept(old.metadata.name)) {
				truth.violation(`claim ${old.metadata.name} was deleted`);
			}
			if (current?.kind !== "Pod" || !isReady(current as Pod) || isReady(old as Pod | undefined)) return;
			// It is of that kind.
			for (const { persistentVolumeClaim } of (current as Pod).spec.volumes ?? []) {
				const name = persistentVolumeClaim?.claimName;
				if (name === undefined) continue;
				// The key names the kind.
				const key = `/objects/core/persistentvolumeclaims/default/${name}`;
				const claim = truth.objects.get(key) as PersistentVolumeClaim | undefined;
				if (claim?.spec.volumeName === undefined) {
					truth.violation(`${current.metadata.name} runs without its claim ${name}`);
				}
			}
		},
	};
}

/**
 * Claims go with the pods that a set was scaled down by, where the set says so. Upstream looks at pods only: the claim
 * of a pod stays that was gone already when the set was scaled down, or before the controller could notice.
 */
export function scaledClaims(): Invariant {
	/**
	 * `uid of the set/name of a claim` for pods that lived when their set was scaled down → when that was (`runningMs`).
	 */
	const had = new Map<string, number>();
	return {
		observe(current, old, truth) {
			// They are of that kind.
			if ((current ?? old)?.kind === "Pod")
				forgetRemoved(had, [current, old] as [Pod | undefined, Pod | undefined], truth);
			// A recreated claim is for a pod that may never come to be.
			if (current?.kind === "PersistentVolumeClaim" && old === undefined) {
				for (const id of had.keys()) if (id.endsWith(`/${current.metadata.name}`)) had.delete(id);
			}
			if (current?.kind !== "StatefulSet" || current.metadata.generation === old?.metadata.generation) return;
			// It is of that kind.
			const { metadata, spec } = current as StatefulSet;
			for (const pod of truth.controlledBy(current, "Pod")) {
				const id = `${metadata.uid}/data-${pod.metadata.name}`;
				const isLive = pod.metadata.deletionTimestamp === undefined;
				if (ordinalOf(pod) >= (spec.replicas ?? 1) && isLive) had.set(id, truth.runningMs());
				else had.delete(id);
			}
		},
		atEnd(truth) {
			for (const object of truth.of("StatefulSet")) {
				// It is of that kind.
				const { metadata, spec } = object as StatefulSet;
				if (spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") continue;
				for (const claim of truth.of("PersistentVolumeClaim")) {
					const { name } = claim.metadata;
					if (!had.has(`${metadata.uid}/${name}`) || ordinalOf(claim) < (spec.replicas ?? 1)) continue;
					truth.violation(`claim ${name} is still there though its set was scaled down`);
				}
			}
		},
	};
}

/**
 * A pod may go before the controller has seen that it is to go for good: others take it away, or the controller itself,
 * to replace it.
 */
function forgetRemoved(
	had: Map<string, number>,
	[current, old]: readonly [Pod | undefined, Pod | undefined],
	truth: Truth,
): void {
	const pod = current ?? old;
	if (pod === undefined) return;
	const id = `${controllerOf(pod)?.uid}/data-${pod.metadata.name}`;
	const scaledMs = had.get(id);
	if (scaledMs === undefined || truth.runningMs() - scaledMs >= longestLagMs) return;
	const announced = pod.status?.conditions?.some(({ type }) => type === "DisruptionTarget") ?? false;
	// Owner references name the kind.
	const set = truth.byUid.get(controllerOf(pod)?.uid ?? "") as StatefulSet | undefined;
	const isGoing = current?.metadata.deletionTimestamp !== undefined || current === undefined;
	const isOutdated = pod.metadata.labels?.["controller-revision-hash"] !== set?.status?.updateRevision;
	if (announced || (isGoing && isOutdated) || truth.deletedByUser.has(pod.metadata.uid)) had.delete(id);
}

/** Claims of the set `parallel` go when it is scaled down (workloads.ts). */
function isKept(name: string): boolean {
	return name.startsWith("data-ordered-");
}
