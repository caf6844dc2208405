/** What is known about a namespace, and the nodes and classes of the cluster. A list is empty if it may not be read. */
import type {
	CronJob,
	DaemonSet,
	Deployment,
	Event,
	Job,
	Node,
	PersistentVolumeClaim,
	Pod,
	ReplicaSet,
	Service,
	StatefulSet,
	StorageClass,
} from "../../kinds/generated/types.ts";

export interface Evidence {
	/** Epoch milliseconds of the cluster's clock. */
	nowMs: number;
	namespace: string;
	pods: readonly Pod[];
	/** Events of the namespace, in any order. */
	events: readonly Event[];
	claims: readonly PersistentVolumeClaim[];
	services: readonly Service[];
	statefulSets: readonly StatefulSet[];
	deployments: readonly Deployment[];
	daemonSets: readonly DaemonSet[];
	replicaSets: readonly ReplicaSet[];
	jobs: readonly Job[];
	cronJobs: readonly CronJob[];
	nodes: readonly Node[];
	storageClasses: readonly StorageClass[];
}

/** The latest Event of an object with one of the reasons. */
export function latestEvent(
	{ events }: Evidence,
	{ uid }: { uid: string },
	...reasons: readonly string[]
): Event | undefined {
	let latest: Event | undefined;
	for (const event of events) {
		if (event.involvedObject.uid !== uid || !reasons.includes(event.reason ?? "")) continue;
		if (latest === undefined || timeOf(event) >= timeOf(latest)) latest = event;
	}
	return latest;
}

/** RFC 3339, so that the text gives the order. */
export function timeOf({ series, lastTimestamp, eventTime, metadata }: Event): string {
	return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
}

export function podsOf({ pods }: Evidence, owner: { uid: string }): Pod[] {
	return pods.filter(({ metadata }) =>
		metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === owner.uid),
	);
}
