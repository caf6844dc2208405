import type { EndedLogs } from "../context/node-context.ts";
import type { InMemoryRuntime } from "../context/runtime-view.ts";
import { endOfLogFile, endOfText } from "./log-end.ts";
import { jobOf, type LogKeeper } from "./log-keeper.ts";

/** Notifies the keeper, and reads logs from files or from the memory of the runtime. */
export function endedLogs(keeper: LogKeeper, inMemory?: Pick<InMemoryRuntime, "logText">): EndedLogs {
	return {
		ended(pod, container) {
			if (jobOf(pod.metadata) === undefined) return;
			if (inMemory === undefined) {
				keeper.ended(pod, container, () => endOfLogFile(container.config.logPath));
				return;
			}
			// Read now: the runtime may remove it at any time.
			const text = inMemory.logText(container.id) ?? "";
			keeper.ended(pod, container, async () => endOfText(text));
		},
		settle: (podUid) => keeper.settle(podUid),
	};
}
