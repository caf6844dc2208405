import type { Pod } from "../../kinds/generated/types.ts";
import { isFinished } from "../../kinds/pod/pod-lifecycle.ts";

/** Whether a pod needs its claims no more: it has ended, or was deleted before it had a node. */
export function isDone(pod: Pod): boolean {
	return isFinished(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);
}
