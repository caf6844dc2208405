import type { KubeObject } from "../../../src/core/object.ts";
import type { Pod } from "../../../src/kinds/generated/types.ts";
import type { Observe, Truth } from "../truth.ts";

/** Something that is always true, whatever goes wrong. */
export interface Invariant {
	/** Called after every change of every object. */
	observe: Observe;
	/** Called when all has come to rest. */
	atEnd?(truth: Truth): void;
}

/**
 * How long a controller may act on an old picture, of readiness, say, while watches lag and break; by
 * `Truth.runningMs`.
 */
export const longestLagMs = 5000;

export function ordinalOf(pod: KubeObject): number {
	return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf("-") + 1));
}

export function isReady(pod: Pod | undefined): boolean {
	return pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Ready, and nobody has deleted it. */
export function isHealthy(pod: Pod | undefined): boolean {
	return isReady(pod) && pod?.metadata.deletionTimestamp === undefined;
}

export function isFinished({ status }: Pod): boolean {
	return status?.phase === "Failed" || status?.phase === "Succeeded";
}
