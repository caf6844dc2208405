/** All filters, in the order in which they check a node; the first rejection gives the reason. */
import { dynamicResources } from "./dynamic-resources.ts";
import type { Filter } from "./filter.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity, nodeName, nodeUnschedulable, taintToleration } from "./node.ts";
import { nodePorts, nodeResourcesFit } from "./node-resources.ts";
import { podTopologySpread } from "./topology-spread.ts";
import { volumeBinding, volumeRestrictions } from "./volumes.ts";

export const filters: readonly Filter[] = [
	nodeUnschedulable,
	nodeName,
	taintToleration,
	nodeAffinity,
	nodePorts,
	nodeResourcesFit,
	volumeRestrictions,
	volumeBinding,
	podTopologySpread,
	interPodAffinity,
	dynamicResources,
];
