/** The page's copy of the objects as evidence for explanations, so that the page and `cox why` say the same. */
import type { Evidence } from "../../../why/findings/evidence.ts";
import { nowMs } from "../state/clock.ts";
import { all, type Kinds, type Plural } from "../state/objects.ts";

export function evidenceOf(namespace: string): Evidence {
	const within = <P extends Plural>(plural: P): Kinds[P][] =>
		all(plural).filter(({ metadata }) => metadata.namespace === namespace);
	return {
		nowMs: nowMs(),
		namespace,
		pods: within("pods"),
		events: within("events"),
		claims: within("persistentvolumeclaims"),
		services: within("services"),
		statefulSets: within("statefulsets"),
		deployments: within("deployments"),
		daemonSets: within("daemonsets"),
		replicaSets: within("replicasets"),
		jobs: within("jobs"),
		cronJobs: within("cronjobs"),
		nodes: all("nodes"),
		storageClasses: all("storageclasses"),
	};
}
