/** The interface of scores. list.ts lists all of them with their weights. */
import type { NodeInfo } from "../model/node-info.ts";
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";

export interface Score {
	/** Upstream's plugin name. */
	readonly name: string;
	/** Upstream's default weight. */
	readonly weight: number;
	/**
	 * Rates how well each of the nodes suits the pod, in their order: whole numbers from 0 to 100. Undefined: all are
	 * equal. Pure.
	 */
	rate(pod: PodInfo, nodes: readonly NodeInfo[], cluster: ClusterView): readonly number[] | undefined;
}

/** Scales ratings so that the highest becomes 100; with `reverse`, the lowest becomes 100. */
export function scaled(ratings: readonly number[], options: { reverse?: true } = {}): number[] {
	const highest = Math.max(0, ...ratings);
	if (highest === 0) return ratings.map(() => (options.reverse ? 100 : 0));
	return ratings.map((rating) => {
		const share = Math.floor((rating * 100) / highest);
		return options.reverse ? 100 - share : share;
	});
}
