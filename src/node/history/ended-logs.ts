import type { Runtime } from "../../runtime/runtime.ts";
import type { EndedLogs } from "../context/node-context.ts";
import { endOfLogFile, endOfText } from "./log-end.ts";
import { jobOf, type LogKeeper } from "./log-keeper.ts";

/** Tells the keeper, and reads logs where the runtime has them. */
export function endedLogs(keeper: LogKeeper, runtime: Pick<Runtime, "logText">): EndedLogs {
	return {
		ended(pod, container) {
			if (jobOf(pod.metadata) === undefined) return;
			if (runtime.logText === undefined) {
				keeper.ended(pod, container, () => endOfLogFile(container.config.logPath));
				return;
			}
			// Now: the runtime may forget it at any time.
			const text = runtime.logText(container.id) ?? "";
			keeper.ended(pod, container, async () => endOfText(text));
		},
		settle: (podUid) => keeper.settle(podUid),
	};
}
