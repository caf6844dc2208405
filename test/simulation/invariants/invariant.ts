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

/** How long a controller may act on an old picture, of readiness, say; by the clock that does not jump. */
export const longestLagMs = 15_000;

export function ordinalOf(pod: KubeObject): number {
	return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf("-") + 1));
}

export function isReady(pod: Pod | undefined): boolean {
	return pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

export function isFinished({ status }: Pod): boolean {
	return status?.phase === "Failed" || status?.phase === "Succeeded";
}
