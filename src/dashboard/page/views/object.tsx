/** The view of the object that the address names. */
import type { Explained } from "../../../why/explain.ts";
import { PodTable } from "../parts/pod-table.tsx";
import { connection, controlled, find, type Plural } from "../state/objects.ts";
import type { Route } from "../state/route.ts";
import { words } from "../text/words.ts";
import { CronJobView } from "./cron-job.tsx";
import { DaemonSetView } from "./daemon-set.tsx";
import { DeploymentView } from "./deployment.tsx";
import { Frame } from "./frame.tsx";
import { JobView } from "./job.tsx";
import { NodeView } from "./node.tsx";
import { PodView } from "./pod.tsx";
import { StatefulSetView } from "./stateful-set.tsx";

export function ObjectView({ view, namespace, name }: Route) {
	return drawn({ view, namespace, name }) ?? <p class="empty">{connection.value === "live" ? words().gone : ""}</p>;
}

function drawn({ view, namespace, name }: Pick<Route, "view" | "namespace" | "name">) {
	const of = <P extends Plural>(plural: P) => find(plural, namespace, name);
	switch (view) {
		case "pod": {
			const pod = of("pods");
			return pod && <PodView pod={pod} />;
		}
		case "statefulset": {
			const set = of("statefulsets");
			return set && <StatefulSetView set={set} />;
		}
		case "deployment": {
			const deployment = of("deployments");
			return deployment && <DeploymentView deployment={deployment} />;
		}
		case "daemonset": {
			const set = of("daemonsets");
			return set && <DaemonSetView set={set} />;
		}
		case "job": {
			const job = of("jobs");
			return job && <JobView job={job} />;
		}
		case "cronjob": {
			const cronJob = of("cronjobs");
			return cronJob && <CronJobView cronJob={cronJob} />;
		}
		case "node": {
			const node = of("nodes");
			return node && <NodeView node={node} />;
		}
		default:
			return plain(view, namespace, name);
	}
}

/** Kinds without a view of their own. */
const others: Readonly<Record<string, { plural: Plural; type: Explained }>> = {
	replicaset: { plural: "replicasets", type: "replicaset" },
	persistentvolumeclaim: { plural: "persistentvolumeclaims", type: "persistentvolumeclaim" },
};

function plain(view: string, namespace: string, name: string) {
	const other = others[view];
	const object = other && find(other.plural, namespace, name);
	if (other === undefined || object === undefined) return undefined;
	const pods = controlled("pods", object.metadata.uid);
	return (
		<Frame type={other.type} plural={other.plural} object={object} pods={pods}>
			{other.type === "replicaset" && <PodTable pods={pods} />}
		</Frame>
	);
}
