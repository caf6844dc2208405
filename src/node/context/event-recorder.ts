/** Events about pods and the node, reported by the kubelet. */
import type { EventRecorder as ClientRecorder } from "../../client/events/recorder.ts";
import type { KubeObject } from "../../core/object.ts";
import type { ObjectReference } from "../../kinds/generated/types.ts";

export interface EventRecorder {
	/**
	 * Returns immediately.
	 * @param fieldPath the container, such as `spec.containers{web}`
	 */
	record(
		regarding: KubeObject | ObjectReference,
		type: "Normal" | "Warning",
		reason: string,
		message: string,
		fieldPath?: string,
	): void;
	/** Resolves when everything recorded so far was written or dropped. */
	flush(): Promise<void>;
}

export const noEvents: EventRecorder = { record() {}, flush: async () => {} };

/** @param words turns a message into one for the readers of Events */
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
