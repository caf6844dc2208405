import { aborted } from "../core/aborted.ts";
import { isReason } from "../core/errors.ts";
import type { KubeObject } from "../core/object.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import type { Client, Ref } from "./client.ts";

export interface WaitOptions {
	/** Ends the wait and is thrown. For a time limit, `AbortSignal.timeout(…)`. */
	signal: AbortSignal;
}

/**
 * The object as soon as `condition` holds for it (undefined: the object does not exist). Event-driven: one get, then a
 * watch.
 * @throws the signal's reason; any ApiError except NotFound and Expired
 */
export async function waitFor<T extends KubeObject>(
	client: Client,
	kind: Kind<T>,
	ref: Ref,
	condition: (object: T | undefined) => boolean,
	options: WaitOptions,
): Promise<T | undefined> {
	const objects = await waitForList(
		client,
		kind,
		{ namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` },
		(list) => condition(list[0]),
		options,
	);
	return objects[0];
}

/** The objects of a selection as soon as `condition` holds for them. */
export async function waitForList<T extends KubeObject>(
	client: Client,
	kind: Kind<T>,
	selection: { namespace?: string; labelSelector?: string; fieldSelector?: string },
	condition: (objects: readonly T[]) => boolean,
	{ signal }: WaitOptions,
): Promise<readonly T[]> {
	for (;;) {
		signal.throwIfAborted();
		const list = await client.list(kind, { ...selection, signal });
		const objects = [...list.items];
		const places = new Map(objects.map(({ metadata }, place) => [metadata.uid, place]));
		if (condition(objects)) return objects;
		const found = await watchUntil(
			client,
			kind,
			{ ...selection, resourceVersion: list.resourceVersion },
			signal,
			(type, object) => {
				const place = places.get(object.metadata.uid);
				if (type !== "DELETED") {
					objects[place ?? objects.length] = object;
					if (place === undefined) places.set(object.metadata.uid, objects.length - 1);
				} else if (place !== undefined) {
					objects.splice(place, 1);
					places.clear();
					for (const [index, { metadata }] of objects.entries()) places.set(metadata.uid, index);
				}
				return condition(objects);
			},
		);
		if (found) return objects;
	}
}

/** @returns true if `seen` returned true; false if the watch ended and the caller must list again */
function watchUntil<T extends KubeObject>(
	client: Client,
	kind: Kind<T>,
	options: { namespace?: string; labelSelector?: string; fieldSelector?: string; resourceVersion: string },
	signal: AbortSignal,
	seen: (type: string, object: T) => boolean,
): Promise<boolean> {
	return new Promise((resolve, reject) => {
		const watch = new AbortController();
		const finish = (settle: () => void) => {
			signal.removeEventListener("abort", abort);
			watch.abort(aborted);
			settle();
		};
		const abort = () => finish(() => reject(signal.reason));
		signal.addEventListener("abort", abort, { once: true });
		client.watch(
			kind,
			{ ...options, signal: watch.signal },
			{
				event: (event) => {
					if (event.type === "BOOKMARK" || event.type === "ERROR") return;
					if (seen(event.type, event.object)) finish(() => resolve(true));
				},
				end: (error) =>
					finish(() => (error === undefined || isReason(error, "Expired", "Gone") ? resolve(false) : reject(error))),
			},
		);
	});
}
