/**
 * Waits until a policy or an annotation exists. Before that, nothing watches runs: parsing and keeping each of them would
 * cost a Job more than writing its run does.
 */
import type { InformerCache } from "../client/informer-cache.ts";
import type { KubeObject } from "../core/object.ts";
import type { Clock } from "../core/time/clock.ts";
import { jobs } from "../kinds/batch/job.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import type { Cursor } from "./outbox/outbox.ts";
import { annotationPolicy } from "./policies/policy.ts";
import { workloadKinds } from "./watcher.ts";

/** A run has the annotations of its Job, so runs need not be inspected. */
export const annotatedKinds: readonly Kind[] = [jobs, ...workloadKinds] as readonly Kind[];

/**
 * Resolves when there is a policy or an annotation.
 * @param informers have listed policies and the kinds that may be annotated
 * @returns the note to begin with: what was before the first request counts as looked at
 */
export async function firstCursor(informers: InformerCache, clock: Clock, signal: AbortSignal): Promise<Cursor> {
	// They were created just before the previous process ended, without a note.
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
