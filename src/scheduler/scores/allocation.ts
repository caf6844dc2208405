/** Scores for CPU and memory: prefer nodes with room, and balanced usage of both. */
import type { Score } from "./score.ts";

export const leastAllocated: Score = {
	name: "NodeResourcesFit",
	weight: 1,
	rate(pod, nodes) {
		return nodes.map(({ allocatable, assumed }) => {
			let sum = 0;
			let weights = 0;
			if (allocatable.milliCpu > 0) {
				sum += room(assumed.milliCpu + pod.assumed.milliCpu, allocatable.milliCpu);
				weights++;
			}
			if (allocatable.memoryBytes > 0) {
				sum += room(assumed.memoryBytes + pod.assumed.memoryBytes, allocatable.memoryBytes);
				weights++;
			}
			return weights === 0 ? 0 : Math.floor(sum / weights);
		});
	},
};

/** The remaining share, in whole percent. */
function room(used: number, allocatable: number): number {
	return used > allocatable ? 0 : Math.floor(((allocatable - used) * 100) / allocatable);
}

export const balancedAllocation: Score = {
	name: "NodeResourcesBalancedAllocation",
	weight: 1,
	rate(pod, nodes) {
		// A pod without requests does not change the balance.
		if (pod.requests.milliCpu === 0 && pod.requests.memoryBytes === 0) return undefined;
		return nodes.map(({ allocatable, requested }) => {
			const cpu = share(requested.milliCpu + pod.requests.milliCpu, allocatable.milliCpu);
			const memory = share(requested.memoryBytes + pod.requests.memoryBytes, allocatable.memoryBytes);
			if (cpu === undefined || memory === undefined) return 100;
			// The standard deviation of two numbers is half of their distance.
			return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
		});
	},
};

function share(used: number, allocatable: number): number | undefined {
	return allocatable > 0 ? Math.min(used / allocatable, 1) : undefined;
}
