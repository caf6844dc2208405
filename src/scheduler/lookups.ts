/** Data that the scheduler looks up in the informer cache on demand instead of tracking it. */
import type { InformerCache } from "../client/informer-cache.ts";
import { controllerOf } from "../core/object.ts";
import { selectorFrom, selectorFromLabels } from "../core/selection/selector.ts";
import { replicaSets } from "../kinds/apps/replicaset.ts";
import { replicationControllers } from "../kinds/apps/replicationcontroller.ts";
import { statefulSets } from "../kinds/apps/statefulset.ts";
import type { LabelSelector, Pod } from "../kinds/generated/types.ts";
import { services } from "../kinds/networking/service.ts";
import { podDisruptionBudgets } from "../kinds/policy/poddisruptionbudget.ts";
import { persistentVolumes } from "../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../kinds/storage/storageclass.ts";
import type { Volumes } from "./model/volumes.ts";
import type { Workloads } from "./model/workloads.ts";
import type { Budget } from "./preemption.ts";

const availableIndex = "scheduler-available-class";

export interface FollowedVolumes {
	volumes: Volumes;
	/** Starts to report changes, beginning with all existing objects. */
	follow(): void;
	unfollow(): void;
}

/** Volumes, claims and classes; `changed` is called after each change of one. */
export function cachedVolumes(informers: InformerCache, changed: () => void): FollowedVolumes {
	const claims = informers.of(persistentVolumeClaims);
	const volumes = informers.of(persistentVolumes);
	const classes = informers.of(storageClasses);
	volumes.addIndex(availableIndex, ({ spec, status }) =>
		status?.phase === "Available" && spec?.claimRef === undefined ? [spec?.storageClassName ?? ""] : [],
	);
	let unfollows: (() => void)[] = [];
	return {
		volumes: {
			claim: (namespace, name) => claims.get(namespace, name),
			volume: (name) => volumes.get(undefined, name),
			storageClass: (name) => classes.get(undefined, name),
			available: (storageClassName) => volumes.byIndex(availableIndex, storageClassName),
		},
		follow() {
			unfollows = [claims.onChange(changed), volumes.onChange(changed), classes.onChange(changed)];
		},
		unfollow() {
			for (const unfollow of unfollows) unfollow();
		},
	};
}

export function cachedWorkloads(informers: InformerCache): Workloads {
	const watched = {
		services: informers.of(services),
		replicaSets: informers.of(replicaSets),
		statefulSets: informers.of(statefulSets),
		replicationControllers: informers.of(replicationControllers),
	};
	return {
		selectorFor(pod) {
			const matchLabels: Record<string, string> = {};
			for (const { spec } of watched.services.list(pod.metadata.namespace))
				if (selectorFromLabels(spec?.selector).matches(pod.metadata.labels)) Object.assign(matchLabels, spec?.selector);
			const owner = ownerSelector(pod);
			Object.assign(matchLabels, owner?.matchLabels);
			const { matchExpressions = [] } = owner ?? {};
			if (Object.keys(matchLabels).length + matchExpressions.length === 0) return undefined;
			return { matchLabels, matchExpressions };
		},
	};
	function ownerSelector(pod: Pod): LabelSelector | undefined {
		const { namespace } = pod.metadata;
		const { kind = "", name = "" } = controllerOf(pod) ?? {};
		switch (kind) {
			case "ReplicaSet":
				return watched.replicaSets.get(namespace, name)?.spec?.selector;
			case "StatefulSet":
				return watched.statefulSets.get(namespace, name)?.spec?.selector;
			case "ReplicationController": {
				const matchLabels = watched.replicationControllers.get(namespace, name)?.spec?.selector;
				return matchLabels === undefined ? undefined : { matchLabels };
			}
			default:
				return undefined;
		}
	}
}

/** The current disruption budgets of a namespace. */
export function cachedBudgets(informers: InformerCache): (namespace: string) => Budget[] {
	const informer = informers.of(podDisruptionBudgets);
	return (namespace) =>
		[...informer.list(namespace)].map(({ spec, status }) => ({
			namespace,
			selector: selectorFrom(spec?.selector),
			allowed: status?.disruptionsAllowed ?? 0,
			disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
		}));
}
