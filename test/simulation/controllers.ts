import { controllers } from "../../src/cluster/control-plane/controllers.ts";
import type { Controller } from "../../src/controllers/runtime/controller.ts";
import type { Registry } from "../../src/kinds/engine/registry.ts";

/** All controllers of a cluster. */
export function allControllers(registry: Registry): Controller<unknown>[] {
	const authority = { ca: "-----BEGIN CERTIFICATE-----\n", sign: () => "" };
	return controllers({ registry, authority, network: { clusterCidr: "10.244.0.0/16" } });
}
