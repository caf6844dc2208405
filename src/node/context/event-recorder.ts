/** Events about pods and the node in the kubelet's name. */
import type { EventRecorder as ClientRecorder } from "../../client/recorder.ts";
import type { KubeObject } from "../../core/object.ts";
import type { ObjectReference } from "../../kinds/generated/types.ts";

export interface EventRecorder {
	/** Returns at once. @param fieldPath which container, such as `spec.containers{web}` */
	record(
		regarding: KubeObject | ObjectReference,
		type: "Normal" | "Warning",
		reason: string,
		message: string,
		fieldPath?: string,
	): void;
	/** Resolves when everything recorded so far was written or given up. */
	flush(): Promise<void>;
}

export const noEvents: EventRecorder = { record() {}, flush: async () => {} };

/** @param words makes messages fit for who reads them */
export function kubeletEvents(recorder: ClientRecorder, host: string, words: (text: string) => string): EventRecorder {
	return {
		record: (regarding, type, reason, message, fieldPath) =>
			recorder.record({
				regarding,
				type,
				reason,
				message: words(message),
				component: "kubelet",
				host,
				...(fieldPath === undefined ? {} : { fieldPath }),
			}),
		flush: () => recorder.flush(),
	};
}
