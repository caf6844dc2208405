import { parseTimestamp } from "../../../src/core/time/clock.ts";
import type { Run } from "../../../src/kinds/history/types.ts";
import { namespace } from "../workloads.ts";
import type { Invariant } from "./invariant.ts";

/** As long as a message waits for its log, and is tried again when a sink has refused it now and then. */
const patienceMs = 60_000;

/**
 * Every run that ended is told, whatever failed and was restarted in the meantime: as it ended, by one id, and by no
 * notifier twice. One that is killed may have sent what its successor sends again.
 */
export function allTold(): Invariant {
	return {
		observe() {},
		atEnd(truth) {
			/** Event and run → id. */
			const ids = new Map<string, string>();
			const sent = new Set<string>();
			for (const { id, event, run, notifier } of truth.told) {
				const what = `${event} ${run}`;
				if ((ids.get(what) ?? id) !== id) truth.violation(`run ${run} ${event} was told by two ids`);
				ids.set(what, id);
				if (sent.has(`${notifier} ${id}`)) truth.violation(`run ${run} ${event} was told twice`);
				sent.add(`${notifier} ${id}`);
			}
			for (const object of truth.of("Run")) {
				// Those of the kind are runs.
				const { metadata, status } = object as Run;
				const { result, endTime } = status;
				for (const other of ["Succeeded", "Failed"])
					if (other !== result && ids.has(`${other} ${metadata.name}`))
						truth.violation(`run ${metadata.name} is ${result}, and was told as ${other}`);
				if (metadata.namespace !== namespace || (result !== "Succeeded" && result !== "Failed")) continue;
				if (endTime === undefined || truth.clock.now() - parseTimestamp(endTime) < patienceMs) continue;
				if (!ids.has(`${result} ${metadata.name}`)) truth.violation(`run ${metadata.name} ${result}, and was not told`);
			}
		},
	};
}
