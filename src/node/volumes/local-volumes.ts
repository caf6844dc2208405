/** Removes the directories of deleted local volumes, and then their finalizer (kinds/storage/local-volume.ts). */
import type { Client } from "../../client/client.ts";
import type { Informer } from "../../client/informer-cache.ts";
import { isReason } from "../../core/errors.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { PersistentVolume } from "../../kinds/generated/types.ts";
import {
	hostnameOf,
	isLocalVolume,
	localVolumeFinalizer,
	volumeProtectionFinalizer,
} from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";

const retryMs = 5000;

export interface LocalVolumesOptions {
	/** Requests are made as the node with this hostname. */
	client(hostname: string): Client;
	/** Includes at least those of this agent's nodes. */
	volumes: Informer<PersistentVolume>;
	clock: Clock;
	/** Whether the hostname belongs to one of this agent's nodes. */
	isOwn(hostname: string): boolean;
	/** Removes the volume's directory, a path in the node's view. Does nothing if there is none. */
	remove(path: string): Promise<void>;
}

/** Whether the volume waits only for its node's agent. Pure. */
function waitsForNode({ metadata }: PersistentVolume): boolean {
	const finalizers = metadata.finalizers ?? [];
	return (
		metadata.deletionTimestamp !== undefined &&
		finalizers.includes(localVolumeFinalizer) &&
		!finalizers.includes(volumeProtectionFinalizer)
	);
}

/** @returns functions that stop the watch, and that check all volumes again after a change of `isOwn` */
export function watchLocalVolumes(options: LocalVolumesOptions): { stop(): void; lookAgain(): void } {
	const { client, volumes: informer, clock, isOwn, remove } = options;
	const timers = new Map<string, Timer>();
	const underWay = new Set<string>();
	let stopped = false;

	const letGo = async (volume: PersistentVolume, hostname: string) => {
		const path = volume.spec?.local?.path;
		if (path !== undefined) await remove(path);
		const finalizers = (volume.metadata.finalizers ?? []).filter((name) => name !== localVolumeFinalizer);
		await client(hostname).update(persistentVolumes, { ...volume, metadata: { ...volume.metadata, finalizers } });
	};
	const consider = (volume: PersistentVolume) => {
		const { name } = volume.metadata;
		const hostname = hostnameOf(volume);
		if (stopped || hostname === undefined || !isOwn(hostname) || !isLocalVolume(volume) || !waitsForNode(volume))
			return;
		if (underWay.has(name)) return;
		underWay.add(name);
		letGo(volume, hostname)
			.catch((error: unknown) => {
				if (isReason(error, "NotFound") || stopped) return;
				const again = () => {
					timers.delete(name);
					const current = informer.get(undefined, name);
					if (current !== undefined) consider(current);
				};
				timers.set(name, clock.after(retryMs, again));
			})
			.finally(() => underWay.delete(name));
	};
	const unsubscribe = informer.onChange((current) => {
		if (current !== undefined) consider(current);
	});
	return {
		lookAgain() {
			for (const volume of informer.list()) consider(volume);
		},
		stop() {
			stopped = true;
			unsubscribe();
			for (const timer of timers.values()) timer.cancel();
		},
	};
}
