/** The next step of a DaemonSet (Kubernetes documentation, "DaemonSet"). */

import type { Draft } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import type { DaemonSet, Pod } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { isFinished, isTerminating, nextAvailableMs } from "../../kinds/pod/pod-lifecycle.ts";
import { claim, selectorOf } from "../podcontrol/claim.ts";
import { podFromTemplate } from "../podcontrol/template.ts";
import { create, event, remove } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";
import { workOn } from "./nodes.ts";
import { affinityFor, builtInTolerations, placementOf, targetNode } from "./placement.ts";
import { cleanedUp, currentRevision, generationLabel, hashLabel, templateGeneration } from "./revisions.ts";
import { roll, type Steps } from "./rolling.ts";
import type { DaemonSetState, NodeState } from "./state.ts";
import { statusActions } from "./status.ts";

/** The maximum number of pods created, and deleted, in one plan. */
const burst = 250;

export function plan(state: DaemonSetState, { nowMs, failure }: PlanContext): Plan {
	const { set } = state;
	const selector = selectorOf(set.spec.selector);
	if (selector.everything) {
		const message = "This daemon set is selecting all pods. A non-empty selector is required.";
		return { actions: [event(set, "Warning", "SelectingAll", message)] };
	}
	if (set.metadata.deletionTimestamp !== undefined) return { actions: [] };
	const history = claim({ owner: daemonSets, object: controllerRevisions }, set, selector, state.history);
	const members = claim({ owner: daemonSets, object: podKind }, set, selector, state.pods);
	const revision = currentRevision(set, history.mine, members.mine, state.newRevision);
	const { nodes, homeless } = byNode(state, members.mine);
	const { steps, events, retryAtMs } = stepsFor(state, nodes, revision.hash, nowMs);
	steps.delete.push(...homeless);
	const before = [...history.actions, ...members.actions, ...revision.actions];
	const work = [...events, ...creations(set, steps.create, revision.hash), ...deletions(set, steps.delete)];
	const { hash, collisionCount } = revision;
	const status = statusActions(set, nodes, { hash, collisionCount, nowMs });
	const after = cleanedUp(set, revision.old, members.mine);
	const times = [retryAtMs, nextAvailableMs(members.mine, set.spec.minReadySeconds, nowMs)];
	const requeueAtMs = Math.min(...times.filter((time) => time !== undefined));
	return {
		// An action that failed last time may fail again, so write the status first.
		actions:
			failure === undefined ? [...before, ...work, ...status, ...after] : [...before, ...status, ...work, ...after],
		...(Number.isFinite(requeueAtMs) ? { requeueAtMs } : {}),
	};
}

/**
 * Every node with its pods, and pods for nodes that no longer exist. Terminated pods that are being deleted are
 * ignored.
 */
function byNode({ set, nodes }: DaemonSetState, pods: readonly Pod[]): { nodes: NodeState[]; homeless: Pod[] } {
	const byName = new Map<string, Pod[]>();
	for (const pod of pods) {
		if (isFinished(pod) && isTerminating(pod)) continue;
		const name = targetNode(pod);
		const there = byName.get(name);
		if (there === undefined) byName.set(name, [pod]);
		else there.push(pod);
	}
	const place = placementOf(set);
	const states = nodes.map((node) => {
		const { name } = node.metadata;
		const found = { name, placement: place(node), pods: byName.get(name) ?? [] };
		byName.delete(name);
		return found;
	});
	// The pod garbage collector removes those that were bound to a node.
	const homeless = [...byName.values()].flat().filter((pod) => !pod.spec.nodeName && !isTerminating(pod));
	return { nodes: states, homeless };
}

function stepsFor(
	{ set, retryAtMs: retryTimes }: DaemonSetState,
	nodes: readonly NodeState[],
	hash: string,
	nowMs: number,
): { steps: Steps; events: Action[]; retryAtMs: number | undefined } {
	const steps: Steps = { create: [], delete: [] };
	const events: Action[] = [];
	let retryAtMs: number | undefined;
	const wanted = new Map<string, readonly Pod[]>();
	for (const node of nodes) {
		if (node.placement.shouldRun) wanted.set(node.name, node.pods);
		const work = workOn(set, node, { hash, retryAtMs: retryTimes, nowMs });
		if (work.needsPod) steps.create.push(node.name);
		steps.delete.push(...work.delete);
		events.push(...work.events);
		if (work.retryAtMs !== undefined) retryAtMs = Math.min(retryAtMs ?? work.retryAtMs, work.retryAtMs);
	}
	// An update waits until every node has the pods that it should have, because otherwise it would depend on pods that
	// are about to change.
	if (set.spec.updateStrategy?.type === "OnDelete" || steps.create.length > 0 || steps.delete.length > 0) {
		return { steps, events, retryAtMs };
	}
	return { steps: roll(set, wanted, hash, nowMs), events, retryAtMs };
}

function creations(set: DaemonSet, nodes: readonly string[], hash: string): Action[] {
	if (nodes.length === 0) return [];
	const pod = podFromTemplate(set, set.spec.template);
	const generation = templateGeneration(set);
	pod.metadata.generateName = `${set.metadata.name}-`;
	pod.metadata.labels = {
		...pod.metadata.labels,
		[hashLabel]: hash,
		...(generation === undefined ? {} : { [generationLabel]: generation }),
	};
	const tolerations = [...(pod.spec.tolerations ?? []), ...builtInTolerations(pod.spec)];
	return nodes.slice(0, burst).map((node) => {
		const spec = { ...pod.spec, tolerations, affinity: affinityFor(pod.spec.affinity, node) };
		const draft: Draft<Pod> = { ...pod, spec };
		return create(podKind, draft, {
			event: { regarding: set, type: "Normal", reason: "SuccessfulCreate", message: "Created pod: {name}" },
			failureEvent: { regarding: set, type: "Warning", reason: "FailedCreate", message: "Error creating: {error}" },
		});
	});
}

function deletions(set: DaemonSet, pods: readonly Pod[]): Action[] {
	return pods.slice(0, burst).map((pod) =>
		remove(podKind, pod, {
			event: { regarding: set, type: "Normal", reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
			failureEvent: { regarding: set, type: "Warning", reason: "FailedDelete", message: "Error deleting: {error}" },
		}),
	);
}
