/** What PUT, PATCH and the subresources have in common: a new object in the place of an old one. */

import { sameFields, sameJson } from "../../core/equal.ts";
import { type ApiError, conflict } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Cached } from "../cache/cached.ts";
import { existing, type NamedTarget } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { type Ending, mutate } from "./mutate.ts";
import { fields } from "./strategies.ts";
import type { Strategy } from "./write.ts";
import { isDryRun } from "./write-options.ts";

export interface Update {
	/**
	 * The new object from the current one, to be changed by the strategy; called again when the current one turns out to
	 * be outdated.
	 */
	make(current: Cached): KubeObject | Promise<KubeObject>;
	strategy: Strategy;
	/** The new object's managedFields are the ones to be kept (server-side apply). */
	ownsManagedFields?: true;
	/** Default: what the request says. */
	dryRun?: boolean;
}

/**
 * @returns the object as it is now; the same as before when nothing changed
 * @throws ApiError NotFound, Conflict, Invalid, or what admission says
 */
export async function updateObject(context: Context, target: NamedTarget, update: Update): Promise<Cached> {
	const { cache } = context.server;
	const { cached } = await mutate<Cached>(context, target, {
		operation: "update",
		dryRun: update.dryRun ?? isDryRun(context.request.query),
		strategy: update.strategy,
		ownsManagedFields: update.ownsManagedFields,
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
		// One that was about that state of the object and no other is refused the next time round.
		failed: () => modified(target),
	});
	return cached;
}

function endingOf(target: NamedTarget, object: KubeObject, current: Cached): Ending {
	if (unchanged(object, current.object)) return { do: "nothing", current };
	return isFinished(target, object) ? { do: "remove", current } : { do: "put", object };
}

const apartFromMetadata = new Set(["metadata"]);
/** Changes of these alone are no change. */
const incidental = new Set(["resourceVersion", "managedFields"]);

function unchanged(object: KubeObject, old: KubeObject): boolean {
	if (!sameFields(fields(object.metadata), fields(old.metadata), incidental)) return false;
	if (!sameFields(fields(object), fields(old), apartFromMetadata)) return false;
	if (object.metadata.managedFields === old.metadata.managedFields) return true;
	return sameJson(withoutTimes(object), withoutTimes(old));
}

/** When a manager last wrote is no change of its own. */
function withoutTimes({ metadata: { managedFields = [] } }: KubeObject): object[] {
	return managedFields.map(({ time: _, ...entry }) => entry);
}

/** Nothing holds the object any more: its deletion was only waiting for this. */
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
