import type { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Store } from "../../store/store.ts";

/**
 * The store of a cluster in virtual time, on a disk that takes real time: while a write is in progress, virtual time
 * stops. Otherwise the clock would be hours ahead when a controller learns that its write is complete.
 */
export function holdTimeForWrites(store: Store, clock: VirtualClock): Store {
	return {
		revision: () => store.revision(),
		get: (key) => store.get(key),
		range: (options) => store.range(options),
		async commit(commit) {
			const release = clock.hold();
			try {
				return await store.commit(commit);
			} finally {
				release();
			}
		},
		watch: (options, sink) => store.watch(options, sink),
		compact: (revision) => store.compact(revision),
		close: () => store.close(),
	};
}
