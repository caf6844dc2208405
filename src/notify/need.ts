/**
 * Whether anything is to be notified at all. Until a policy or an annotation asks for it, nothing watches runs: a copy of
 * each would cost a Job more than its run does.
 */
import type { InformerCache } from "../client/informer-cache.ts";
import type { Clock } from "../core/clock.ts";
import type { KubeObject } from "../core/object.ts";
import { jobs } from "../kinds/batch/job.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import type { Cursor } from "./outbox.ts";
import { annotationPolicy } from "./policy.ts";
import { workloadKinds } from "./watcher.ts";

/** Where annotations of runs come from: a run has those of its Job. */
export const annotatedKinds: readonly Kind[] = [jobs, ...workloadKinds] as readonly Kind[];

/**
 * Resolves when there is a policy or an annotation.
 * @param informers have listed policies and the kinds that may be annotated
 * @returns the note to begin with: what was before the first request counts as looked at
 */
export async function firstCursor(informers: InformerCache, clock: Clock, signal: AbortSignal): Promise<Cursor> {
	// It was made just before the end of a process that could not note it.
	for (const _ of informers.of(notificationPolicies).list()) return { revision: 0, atMs: 0 };
	for (const kind of annotatedKinds)
		for (const object of informers.of(kind).list()) if (isAnnotated(object)) return { revision: 0, atMs: clock.now() };
	const { metadata } = await firstRequest(informers, signal);
	return { revision: Number(metadata.resourceVersion), atMs: clock.now() };
}

function firstRequest(informers: InformerCache, signal: AbortSignal): Promise<KubeObject> {
	return new Promise((resolve, reject) => {
		const ends: (() => void)[] = [];
		const end = () => {
			for (const one of ends) one();
			signal.removeEventListener("abort", abort);
		};
		const abort = () => {
			end();
			reject(signal.reason);
		};
		const found = (object: KubeObject) => {
			end();
			resolve(object);
		};
		signal.addEventListener("abort", abort);
		ends.push(informers.of(notificationPolicies).onChange((current) => current && found(current)));
		for (const kind of annotatedKinds)
			ends.push(informers.of(kind).onChange((current) => current && isAnnotated(current) && found(current)));
	});
}

function isAnnotated({ metadata }: KubeObject): boolean {
	return annotationPolicy("", metadata.annotations) !== undefined;
}
