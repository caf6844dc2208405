import { messageOf } from "../../core/errors.ts";
import type { ManagedPod } from "../context/managed-pod.ts";
import { DeviceError, VolumeError } from "../context/node-context.ts";
import { prepareDevices } from "./prepare-devices.ts";

/** Time without an Event for objects that will probably appear soon. */
const quietMs = 10_000;

/** Prepares the devices of the pod, too. */
export async function mountVolumes(managed: ManagedPod): Promise<void> {
	const { context, runtimeState, pod } = managed;
	const { files, clock } = context;
	try {
		await prepareDevices(pod, context);
		await files?.prepare(pod, managed.signal);
		runtimeState.volumesMounted();
		// The pod was updated in the meantime, before its volumes existed.
		if (managed.pod !== pod) await files?.refresh(managed.pod);
	} catch (error) {
		const nowMs = clock.now();
		const isPending = error instanceof VolumeError && error.pending && nowMs - runtimeState.observedAtMs < quietMs;
		if (error instanceof DeviceError) {
			const message = `Failed to prepare dynamic resources: ${error.message}`;
			managed.record("Warning", "FailedPrepareDynamicResources", message);
		} else if (!isPending) managed.record("Warning", "FailedMount", messageOf(error));
		runtimeState.mountFailed(nowMs, isPending);
	}
}
