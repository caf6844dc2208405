import { parseTimestamp } from "../../../src/core/clock.ts";
import type { Run } from "../../../src/kinds/history/types.ts";
import { namespace } from "../workloads.ts";
import type { Invariant } from "./invariant.ts";

/** As long as a message waits for its log, and is tried again when a sink has refused it now and then. */
const patienceMs = 60_000;

/** Every run that ended is told, whatever failed and whoever was restarted meanwhile. */
export function allTold(): Invariant {
	return {
		observe() {},
		atEnd(truth) {
			for (const object of truth.of("Run")) {
				// Those of the kind are runs.
				const { metadata, status } = object as Run;
				const { result, endTime } = status;
				if (metadata.namespace !== namespace || (result !== "Succeeded" && result !== "Failed")) continue;
				if (endTime === undefined || truth.clock.now() - parseTimestamp(endTime) < patienceMs) continue;
				if (!truth.told.has(`${result} ${metadata.name}`))
					truth.violation(`run ${metadata.name} ${result}, and was not told`);
			}
		},
	};
}
