import type { Controller } from "../controllers/controller.ts";
import { daemonSetController } from "../controllers/daemonset/controller.ts";
import { deploymentController } from "../controllers/deployment/controller.ts";
import { garbageCollectorController } from "../controllers/garbage-collector/controller.ts";
import { jobController } from "../controllers/job/controller.ts";
import { jobOrphanController } from "../controllers/job/orphans.ts";
import { replicaSetController } from "../controllers/replicaset/controller.ts";
import { replicationControllerController } from "../controllers/replicationcontroller/controller.ts";
import { statefulSetController } from "../controllers/statefulset/controller.ts";
import type { Registry } from "../kinds/registry.ts";

export interface ControllerSettings {
	registry: Registry;
	/** PEM of the cluster's authority. */
	ca: string;
	clusterCidr: string;
}

/** Every controller of a cluster. */
export function controllers(settings: ControllerSettings): Controller<never>[] {
	return [
		replicaSetController,
		replicationControllerController,
		deploymentController,
		statefulSetController,
		daemonSetController,
		jobController,
		jobOrphanController,
		garbageCollectorController(settings.registry),
	];
}
