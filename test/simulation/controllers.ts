import { controllers } from "../../src/cluster/controllers.ts";
import type { Controller } from "../../src/controllers/controller.ts";
import { disruptionController } from "../../src/controllers/disruption/controller.ts";
import { nodeIpamController } from "../../src/controllers/node-ipam/controller.ts";
import { nodeLifecycleController } from "../../src/controllers/node-lifecycle/controller.ts";
import { podGcController } from "../../src/controllers/pod-gc/controller.ts";
import { taintEvictionController } from "../../src/controllers/taint-eviction/controller.ts";
import type { Registry } from "../../src/kinds/registry.ts";

/** All controllers of a cluster, each once. */
export function allControllers(registry: Registry): Controller<unknown>[] {
	const clusterCidr = "10.244.0.0/16";
	const listed = controllers({ registry, ca: "-----BEGIN CERTIFICATE-----\n", clusterCidr });
	const names = new Set(listed.map((controller) => controller.name));
	// A list of controllers holds them by what they have in common.
	const more = [
		nodeLifecycleController(),
		taintEvictionController,
		podGcController(),
		nodeIpamController(clusterCidr),
		disruptionController,
	] as Controller<unknown>[];
	return [...listed, ...more.filter((controller) => !names.has(controller.name))];
}
