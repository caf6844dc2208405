/** A moment of an embedded cluster, to which it can be set back. */

import type { Entry } from "../../store/store.ts";
import type { SavedNodes } from "../nodes/node-pool.ts";
import type { SavedSpecs } from "./nodes.ts";

/** A moment of the cluster that `snapshot` returned it for; see `rewind`. */
export interface ClusterSnapshot {
	/** The cluster's time then, in epoch milliseconds. */
	readonly atMs: number;
}

/** What a snapshot stands for: objects share their bytes with the store, so that it costs a pointer for each. */
export interface Moment {
	readonly contents: { readonly entries: readonly Entry[]; readonly revision: number };
	/** Sets the clock back, if it is a virtual one. */
	readonly turnBack: () => void;
	readonly running: SavedNodes | undefined;
	readonly nodes: SavedSpecs;
}
