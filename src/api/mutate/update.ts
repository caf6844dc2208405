/** The common part of PUT, PATCH and the subresources: replaces an object by a new one. */

import { sameFields, sameJson } from "../../core/equal.ts";
import { type ApiError, conflict } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Cached } from "../cache/cached.ts";
import { isOutdated } from "../resources/forms.ts";
import { existing, type NamedTarget } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { type Ending, mutate } from "./mutate.ts";
import { isDryRun } from "./options/write-options.ts";
import { fields } from "./strategies.ts";
import type { Strategy } from "./write.ts";

export interface Update {
	/**
	 * The new object, from the current one; the strategy may change it. Called again if the current object was outdated.
	 */
	make(current: Cached): KubeObject | Promise<KubeObject>;
	strategy: Strategy;
	/** The new object's managedFields are stored as they are (server-side apply). */
	ownsManagedFields?: true;
	/** What the client sent, where it is of another kind. */
	sent?: KubeObject;
	/** Default: from the request. */
	dryRun?: boolean;
}

/**
 * @returns the object's current state; the same object if nothing changed
 * @throws ApiError NotFound, Conflict, Invalid, or an error of admission
 */
export async function updateObject(context: Context, target: NamedTarget, update: Update): Promise<Cached> {
	const { cache } = context.server;
	const { cached } = await mutate<Cached>(context, target, {
		operation: "update",
		dryRun: update.dryRun ?? isDryRun(context.request.query),
		strategy: update.strategy,
		ownsManagedFields: update.ownsManagedFields,
		sent: update.sent,
		read: () => target.objects.get(target.key) ?? cache.fresh().then(() => existing(target)),
		make: (current) => update.make(current),
		conflictOf(object, current) {
			const { resourceVersion: wanted = "" } = object.metadata;
			if (wanted === "" || wanted === "0" || wanted === String(current.revision)) return undefined;
			return cache.fresh().then(() => {
				if (target.objects.get(target.key) === current) throw modified(target);
				return modified(target);
			});
		},
		finish: (object, current) => endingOf(target, object, current),
		// A change that requires a certain resourceVersion fails in the next attempt.
		failed: () => modified(target),
	});
	return cached;
}

function endingOf(target: NamedTarget, object: KubeObject, current: Cached): Ending {
	if (unchanged(object, current.object) && !isOutdated(current)) return { do: "nothing", current };
	return isFinished(target, object) ? { do: "remove", current } : { do: "put", object };
}

const apartFromMetadata = new Set(["metadata"]);
/** Differences in these fields alone are not a change. */
const incidental = new Set(["resourceVersion", "managedFields"]);

function unchanged(object: KubeObject, old: KubeObject): boolean {
	if (!sameFields(fields(object.metadata), fields(old.metadata), incidental)) return false;
	if (!sameFields(fields(object), fields(old), apartFromMetadata)) return false;
	if (object.metadata.managedFields === old.metadata.managedFields) return true;
	return sameJson(withoutTimes(object), withoutTimes(old));
}

/** A different time of the last write alone is not a change. */
function withoutTimes({ metadata: { managedFields = [] } }: KubeObject): object[] {
	return managedFields.map(({ time: _, ...entry }) => entry);
}

/** Nothing delays the object's deletion any more. */
function isFinished(target: NamedTarget, object: KubeObject): boolean {
	const { metadata } = object;
	if (target.kind.isHeld?.(object)) return false;
	if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false;
	return (metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

export function modified(target: Pick<NamedTarget, "kind" | "name">): ApiError {
	const why = "the object has been modified; please apply your changes to the latest version and try again";
	return conflict(target.kind, target.name, why);
}
