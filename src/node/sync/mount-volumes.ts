import { messageOf } from "../../core/errors.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import { VolumeError } from "../context/node-context.ts";

/** What is on its way is looked for so long before there is an event. */
const quietMs = 10_000;

export async function mountVolumes(managed: ManagedPod): Promise<void> {
	const { context, runtimeState, pod } = managed;
	const { files, clock } = context;
	try {
		await files?.prepare(pod, managed.signal);
		runtimeState.volumesMounted();
		// What was changed in the meantime found no volume to be shown in.
		if (managed.pod !== pod) await files?.refresh(managed.pod);
	} catch (error) {
		const nowMs = clock.now();
		const isPending = error instanceof VolumeError && error.pending && nowMs - runtimeState.observedAtMs < quietMs;
		if (!isPending) managed.record("Warning", "FailedMount", messageOf(error));
		runtimeState.mountFailed(nowMs, isPending);
	}
}
