/** All scores. A node's total is the sum of its ratings, each multiplied by the score's weight. */

import { balancedAllocation, leastAllocated } from "./allocation.ts";
import { imageLocality, preferredNodes, preferredTaints } from "./node.ts";
import { preferredPods, preferredSpread } from "./pods.ts";
import type { Score } from "./score.ts";

export const scores: readonly Score[] = [
	preferredTaints,
	preferredNodes,
	preferredSpread,
	preferredPods,
	leastAllocated,
	balancedAllocation,
	imageLocality,
];
