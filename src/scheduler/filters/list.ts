/** Every filter, in the order in which a node is tried; the first that refuses gives the reason. */
import type { Filter } from "./filter.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity, nodeName, nodeUnschedulable, taintToleration } from "./node.ts";
import { nodePorts, nodeResourcesFit } from "./resources.ts";
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
];
