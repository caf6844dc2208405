/**
 * The plan of ReplicaSets and ReplicationControllers: exactly the desired number of pods, and a status that reports it
 * (Kubernetes documentation, "ReplicaSet").
 */

import type { InformerCache } from "../../client/informer-cache.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import type { Selector } from "../../core/selection/selector.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { isActive, isFinished, isTerminating, nextAvailableMs } from "../../kinds/pod/pod-lifecycle.ts";
import { type Claimable, claim, gatherClaimable, watchOwned } from "../podcontrol/claim.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { podsToDelete } from "../podcontrol/rank.ts";
import { podFromTemplate } from "../podcontrol/template.ts";
import { create, remove } from "../runtime/actions.ts";
import { type Action, type Controller, type Plan, type PlanContext, watchRule } from "../runtime/controller.ts";
import { type Replicated, statusActions } from "./status.ts";

export interface ReplicasState<T extends Replicated> {
	set: T;
	/** Pods that have neither terminated nor been deleted. */
	active: Claimable<Pod>;
	terminating: readonly Pod[];
	/** Active pods of all sets with the same owner; only if pods are deleted. */
	kin: readonly Pod[];
}

export interface ReplicasKind<T extends Replicated> {
	name: string;
	component: string;
	kind: Kind<T>;
	selector(set: T): Selector;
	/** Whether the status counts pods that are being deleted. */
	countsTerminating: boolean;
	/** Other sets with the same owner, for the spread of their pods over nodes. */
	siblings(set: T, informers: InformerCache): Iterable<T>;
}

/** The maximum number of pods created or deleted in one plan. */
const burst = 500;

export function replicasController<T extends Replicated>(of: ReplicasKind<T>): Controller<ReplicasState<T>> {
	return {
		name: of.name,
		component: of.component,
		watches: [
			watchRule(of.kind, (current, old) => [current, old].flatMap((set) => (set ? [objectKey(set)] : []))),
			watchOwned(of.kind, podKind, of.selector, matters),
		],
		coalesceMs: (key, informers) => coalesceMsFor(find(of, key, informers)?.status?.replicas),
		gather: (key, informers) => gather(of, key, informers),
		plan: (state, context) => plan(of, state, context),
	};
}

function find<T extends Replicated>(of: ReplicasKind<T>, key: string, informers: InformerCache): T | undefined {
	const { namespace, name } = parseKey(key);
	return informers.of(of.kind).get(namespace, name);
}

function gather<T extends Replicated>(
	of: ReplicasKind<T>,
	key: string,
	informers: InformerCache,
): ReplicasState<T> | undefined {
	const set = find(of, key, informers);
	if (set === undefined) return undefined;
	const selector = of.selector(set);
	const claimable = gatherClaimable(informers, podKind, set, selector);
	const active = claimable.controlled.filter(isActive);
	const kin: Pod[] = [];
	if (active.length > (set.spec?.replicas ?? 1)) {
		for (const sibling of of.siblings(set, informers)) {
			for (const pod of informers.of(podKind).controlledBy(sibling.metadata.uid)) if (isActive(pod)) kin.push(pod);
		}
	}
	return {
		set,
		active: { controlled: active, orphans: claimable.orphans.filter(isActive) },
		terminating: claimable.controlled.filter(
			(pod) => isTerminating(pod) && !isFinished(pod) && selector.matches(pod.metadata.labels),
		),
		kin,
	};
}

function plan<T extends Replicated>(of: ReplicasKind<T>, state: ReplicasState<T>, context: PlanContext): Plan {
	const { set } = state;
	const kinds = { owner: of.kind, object: podKind };
	const { mine, actions } = claim(kinds, set, of.selector(set), state.active);
	const excess = mine.length - (set.spec?.replicas ?? 1);
	const moves = set.metadata.deletionTimestamp === undefined ? movesFor(state, mine, excess, context) : [];
	const failed = context.failure?.do === "create" || context.failure?.do === "delete";
	const failure = failed && context.failure?.kind === podKind ? context.failure : undefined;
	const terminatingCount = of.countsTerminating ? state.terminating.length : undefined;
	const status = statusActions(of.kind, set, { pods: mine, terminatingCount, excess, failure, nowMs: context.nowMs });
	// After a failure the status is written first: the same failure would end this plan before it.
	const work = failure === undefined ? [...moves, ...status] : [...status, ...moves];
	const requeueAtMs = nextAvailableMs(mine, set.spec?.minReadySeconds, context.nowMs);
	return { actions: [...actions, ...work], ...(requeueAtMs === undefined ? {} : { requeueAtMs }) };
}

function movesFor<T extends Replicated>(
	{ set, kin }: ReplicasState<T>,
	mine: readonly Pod[],
	excess: number,
	{ nowMs }: PlanContext,
): Action[] {
	if (excess > 0) {
		return podsToDelete(mine, kin, Math.min(excess, burst), nowMs).map((pod) =>
			remove(podKind, pod, {
				event: { regarding: set, type: "Normal", reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
				failureEvent: { regarding: set, type: "Warning", reason: "FailedDelete", message: "Error deleting: {error}" },
			}),
		);
	}
	const template = set.spec?.template;
	if (template === undefined || excess === 0) return [];
	const pod = podFromTemplate(set, template);
	pod.metadata.generateName = `${set.metadata.name}-`;
	const action = create(podKind, pod, {
		event: { regarding: set, type: "Normal", reason: "SuccessfulCreate", message: "Created pod: {name}" },
		failureEvent: { regarding: set, type: "Warning", reason: "FailedCreate", message: "Error creating: {error}" },
	});
	return Array.from({ length: Math.min(-excess, burst) }, () => action);
}
