/**
 * The next step of a StatefulSet (Kubernetes documentation, "StatefulSets", "Deployment and Scaling Guarantees"). With
 * OrderedReady, pods are created one by one from the lowest ordinal and deleted one by one from the highest, and each
 * step waits until all pods before it are available; with Parallel nothing waits. In both cases an identity gets a new
 * pod only once the old one is gone.
 */

import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { isFinished, isTerminating, nextAvailableMs } from "../../kinds/pod/pod-lifecycle.ts";
import { claim, selectorOf } from "../podcontrol/claim.ts";
import { create, event, patch, remove } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";
import { claimBeingDeleted, hasStaleClaim, missingClaims, retentionActions } from "./claims.ts";
import { claimGrowth, isBeyondHope } from "./extras.ts";
import { isRunningAndAvailable, isUnavailable } from "./health.ts";
import { identityLabels, newPod, ordinalOf, podName, replicasOf, startOf } from "./identity.ts";
import { type Revisions, revisionsOf, truncated } from "./revisions.ts";
import { outdated } from "./rollout.ts";
import type { StatefulSetState } from "./state.ts";
import { statusActions } from "./status.ts";

/**
 * The plan under construction. Claims are created before pods: each can be sent in batches, and a pod that cannot be
 * created does not delay a claim.
 */
interface Making extends StatefulSetState {
	nowMs: number;
	revisions: Revisions;
	/** By ordinal minus start; undefined if there is no pod. */
	slots: (Pod | undefined)[];
	/** Pods whose ordinals the set should not have, highest first. */
	condemned: { pod: Pod; ordinal: number }[];
	claimActions: Action[];
	podActions: Action[];
	growthActions: Action[];
}

export function plan(state: StatefulSetState, { nowMs, failure }: PlanContext): Plan {
	const { set } = state;
	const selector = selectorOf(set.spec.selector);
	const history = claim({ owner: statefulSets, object: controllerRevisions }, set, selector, state.history);
	const members = claim(
		{ owner: statefulSets, object: podKind },
		set,
		selector,
		state.pods,
		(pod) => ordinalOf(set, pod) !== undefined,
	);
	const revisions = revisionsOf(set, history.mine, state.newRevision);
	const making: Making = {
		...state,
		nowMs,
		revisions,
		...sorted(state, members.mine),
		claimActions: [],
		podActions: [],
		growthActions: [],
	};
	const deleted = set.metadata.deletionTimestamp !== undefined;
	const leaving = deleted ? [] : step(making);
	const status = statusActions(set, members.mine, new Set(leaving), revisions, nowMs);
	// A set that is being deleted creates no revisions: the garbage collector, which deletes them first, would never
	// finish.
	const before = [...history.actions, ...members.actions, ...(deleted ? [] : revisions.actions)];
	const work = [...making.claimActions, ...making.podActions];
	const after = [...truncated(set, history.mine, members.mine, revisions), ...making.growthActions];
	const requeueAtMs = nextAvailableMs(members.mine, set.spec.minReadySeconds, nowMs);
	return {
		// An action that failed last time may fail again, so write the status first.
		actions:
			failure === undefined ? [...before, ...work, ...status, ...after] : [...before, ...status, ...work, ...after],
		...(requeueAtMs === undefined ? {} : { requeueAtMs }),
	};
}

function sorted({ set }: StatefulSetState, pods: readonly Pod[]): Pick<Making, "slots" | "condemned"> {
	const slots = new Array<Pod | undefined>(replicasOf(set)).fill(undefined);
	const condemned: Making["condemned"] = [];
	for (const pod of pods) {
		const ordinal = ordinalOf(set, pod) ?? 0;
		const index = ordinal - startOf(set);
		if (index >= 0 && index < slots.length) slots[index] = pod;
		else condemned.push({ pod, ordinal });
	}
	condemned.sort((left, right) => right.ordinal - left.ordinal);
	return { slots, condemned };
}

/**
 * One step closer to the spec: first the pods that should exist, then those that should not, then those of another
 * revision.
 * @returns the last ones
 */
function step(making: Making): Pod[] {
	const { set, slots, condemned, nowMs, claims, claimActions, podActions } = making;
	const ordered = set.spec.podManagementPolicy !== "Parallel";
	// Regardless of who deletes these pods, and how long the set has to wait for others before it does so itself.
	for (const { pod, ordinal } of condemned) claimActions.push(...retentionActions(set, pod, ordinal, false, claims));
	for (let index = 0; index < slots.length; index++) {
		if (settle(making, index, ordered) === "waits" && ordered) return [];
	}
	const sick =
		slots.find((pod) => isUnavailable(set, pod, nowMs)) ??
		condemned.findLast(({ pod }) => isUnavailable(set, pod, nowMs))?.pod;
	for (const { pod } of condemned) {
		if (isTerminating(pod)) {
			if (ordered) return [];
			continue;
		}
		// An unavailable pod also blocks scaling down, unless it is the first to be deleted.
		const blocked = !isRunningAndAvailable(set, pod, nowMs) && pod !== sick;
		if (ordered && blocked) return [];
		podActions.push(deletion(making, pod));
		if (ordered) return [];
	}
	if (set.spec.updateStrategy?.type === "OnDelete") return [];
	// Terminated pods are being deleted already.
	const live = slots.map((pod) => (pod !== undefined && isFinished(pod) ? undefined : pod));
	const leaving = outdated(set, live, making.revisions.update.name, nowMs);
	podActions.push(...leaving.map((pod) => deletion(making, pod)));
	return leaving;
}

/** Brings one identity to its desired state. `waits`: ordered progress ends here for now. */
function settle(making: Making, index: number, ordered: boolean): "waits" | "done" {
	const { set, claims, claimActions, podActions, nowMs } = making;
	const pod = making.slots[index];
	const ordinal = startOf(set) + index;
	if (pod === undefined) return bear(making, index, ordinal);
	if (isFinished(pod)) {
		if (!isTerminating(pod)) podActions.push(deletion(making, pod));
		return "waits";
	}
	if (pod.status?.phase === "Pending" && !isTerminating(pod)) {
		claimActions.push(...missingClaims(set, ordinal, claims));
	}
	making.growthActions.push(...claimGrowth(set, ordinal, claims, making.storageClasses));
	if (ordered && isUnavailable(set, pod, nowMs)) {
		if (isBeyondHope(set, pod, index, making.revisions)) podActions.push(deletion(making, pod));
		return "waits";
	}
	podActions.push(...retentionActions(set, pod, ordinal, true, claims), ...identityRepair(making, pod, ordinal));
	return "done";
}

/** Creates the missing pod of an identity, as soon as its claims are ready. */
function bear(making: Making, index: number, ordinal: number): "waits" {
	const { set, revisions, claims, claimActions, podActions } = making;
	if (hasStaleClaim(set, ordinal, claims)) return "waits";
	const name = podName(set, ordinal);
	const failed = `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: `;
	const dying = claimBeingDeleted(set, ordinal, claims);
	if (dying !== undefined) {
		const message = `${failed}pvc ${dying.metadata.name} is being deleted`;
		podActions.push(event(set, "Warning", "FailedCreate", message));
		return "waits";
	}
	const rolling = set.spec.updateStrategy?.type !== "OnDelete" ? set.spec.updateStrategy?.rollingUpdate : undefined;
	const revision = index < (rolling?.partition ?? 0) ? revisions.current : revisions.update;
	claimActions.push(...missingClaims(set, ordinal, claims));
	podActions.push(
		create(podKind, newPod(set, revision.template, revision.name, ordinal), {
			event: {
				regarding: set,
				type: "Normal",
				reason: "SuccessfulCreate",
				message: `create Pod ${name} in StatefulSet ${set.metadata.name} successful`,
			},
			failureEvent: { regarding: set, type: "Warning", reason: "FailedCreate", message: `${failed}{error}` },
		}),
	);
	return "waits";
}

/** Restores identity labels that were removed. */
function identityRepair({ set }: Making, pod: Pod, ordinal: number): Action[] {
	const wanted = identityLabels(set, ordinal);
	const labels = pod.metadata.labels ?? {};
	if (Object.entries(wanted).every(([name, value]) => labels[name] === value)) return [];
	const { namespace, name } = pod.metadata;
	const change = { type: "merge", patch: { metadata: { uid: pod.metadata.uid, labels: wanted } } } as const;
	const message = `update Pod ${name} in StatefulSet ${set.metadata.name} successful`;
	return [
		patch(podKind, { namespace, name }, change, { orGone: true }),
		event(set, "Normal", "SuccessfulUpdate", message),
	];
}

function deletion({ set }: Making, pod: Pod): Action {
	const subject = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
	return remove(podKind, pod, {
		event: { regarding: set, type: "Normal", reason: "SuccessfulDelete", message: `${subject} successful` },
		failureEvent: {
			regarding: set,
			type: "Warning",
			reason: "FailedDelete",
			message: `${subject} failed error: {error}`,
		},
	});
}
