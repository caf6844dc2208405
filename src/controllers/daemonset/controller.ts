import { sameJson } from "../../core/equal.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { DaemonSet, Node } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { gatherClaimable, selectorOf, watchOwned } from "../podcontrol/claim.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { freeName } from "../revisions/history.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";
import { forget, retryTimes } from "./backoff.ts";
import { placementOf } from "./placement.ts";
import { plan } from "./plan.ts";
import type { DaemonSetState } from "./state.ts";

const selectorFor = ({ spec }: DaemonSet) => selectorOf(spec.selector);

/** Keeps one pod on every eligible node (Kubernetes documentation, "DaemonSet"). */
export const daemonSetController: Controller<DaemonSetState> = {
	name: "daemonset",
	component: "daemonset-controller",
	account: "daemon-set-controller",
	watches: [
		watchRule(daemonSets, (current, old) => [current, old].flatMap((set) => (set ? [objectKey(set)] : []))),
		watchOwned(daemonSets, podKind, selectorFor, matters),
		// A deleted revision may have to be recreated. New and changed ones do not cause a sync, as upstream, so that
		// revisions that users create manually are kept.
		watchOwned(daemonSets, controllerRevisions, selectorFor, (current) => current === undefined),
		watchRule(nodes, nodeKeys, { expectations: false }),
	],
	coalesceMs: (key, informers) => coalesceMsFor(find(key, informers)?.status?.desiredNumberScheduled),
	gather,
	plan,
};

function find(key: string, informers: InformerCache): DaemonSet | undefined {
	const { namespace, name } = parseKey(key);
	return informers.of(daemonSets).get(namespace, name);
}

function gather(key: string, informers: InformerCache): DaemonSetState | undefined {
	const set = find(key, informers);
	if (set === undefined) {
		forget(informers, key);
		return undefined;
	}
	const pods = gatherClaimable(informers, podKind, set, selectorFor(set));
	const failed = pods.controlled.filter(({ status }) => status?.phase === "Failed");
	return {
		set,
		nodes: [...informers.of(nodes).list()],
		pods,
		history: gatherClaimable(informers, controllerRevisions, set, selectorFor(set)),
		newRevision: freeName(informers, set, set.spec.template),
		retryAtMs: retryTimes(informers, key, failed),
	};
}

/** Sets for which a node became eligible or ineligible. Heartbeats and status changes of nodes are irrelevant here. */
function nodeKeys(current: Node | undefined, old: Node | undefined, informers: InformerCache): string[] {
	if (current !== undefined && old !== undefined && sameJson(fitness(current), fitness(old))) return [];
	const keys: string[] = [];
	for (const set of informers.of(daemonSets).list()) {
		const place = placementOf(set);
		const [now, before] = [current && place(current), old && place(old)];
		if (now?.shouldRun !== before?.shouldRun || now?.mayStay !== before?.mayStay) keys.push(objectKey(set));
	}
	return keys;
}

/** The fields of a node that placement depends on. */
function fitness({ metadata, spec }: Node): unknown {
	return [metadata.labels, spec?.taints];
}
