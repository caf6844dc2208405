/** Deletion of one object: immediate, or marked while it waits for an agent or for finalizers. */

import { type ApiError, conflict } from "../../core/errors.ts";
import { copyObject, type KubeObject } from "../../core/object.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Cached } from "../cache/cached.ts";
import { unassigned } from "../resources/metadata.ts";
import { existing, type NamedTarget, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { type Ending, type Mutated, mutate } from "./mutate.ts";
import type { DeleteOptions } from "./options/delete-options.ts";
import { modified } from "./update.ts";

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

/**
 * @returns the object with the revision of its removal (`gone`), or its current state while something delays its
 * removal
 * @throws ApiError NotFound, Conflict, or an error of admission
 */
export function deleteObject(context: Context, target: NamedTarget, options: DeleteOptions): Promise<Mutated> {
	const { cache } = context.server;
	return mutate<Cached>(context, target, {
		operation: "delete",
		dryRun: options.dryRun,
		read() {
			const current = target.objects.get(target.key);
			if (current !== undefined && differs(current, options, target) === undefined) return current;
			return cache.fresh().then(() => meant(target, options));
		},
		make: ({ object }) => object,
		finish: (_, current) => endingOf(context, target, current, options),
		failed: () => modified(target),
	});
}

/** @throws ApiError NotFound, or Conflict if the object does not meet the preconditions */
function meant(target: NamedTarget, options: DeleteOptions): Cached {
	const current = existing(target);
	const problem = differs(current, options, target);
	if (problem !== undefined) throw problem;
	return current;
}

/** The precondition that the object does not meet. */
export function differs({ object }: Cached, options: DeleteOptions, target: NamedTarget): ApiError | undefined {
	const { uid, resourceVersion } = object.metadata;
	if (options.uid !== undefined && options.uid !== uid) {
		const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
		return conflict(byKind(target), target.name, why);
	}
	if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
		const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
		return conflict(byKind(target), target.name, why);
	}
	return undefined;
}

/** Here upstream names the kind, elsewhere the resource. */
function byKind({ kind }: Target): { group: string; plural: string } {
	return { group: kind.group, plural: kind.kind };
}

/**
 * The effect of the deletion: none if the object is marked already and nothing changes, its removal if nothing delays
 * it.
 */
function endingOf(context: Context, target: NamedTarget, current: Cached, options: DeleteOptions): Ending {
	const old = current.object;
	const finalizers = finalizersFor(target, old, options);
	const graceSeconds = graceFor(target, old, options);
	if (graceSeconds === 0 && finalizers.length === 0 && !target.kind.isHeld?.(old)) return { do: "remove", current };
	const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
	if (deletionTimestamp !== undefined) {
		const isShorter = graceSeconds < (deletionGracePeriodSeconds ?? 0);
		const sameFinalizers = finalizers.length === (old.metadata.finalizers ?? []).length;
		if (!isShorter && sameFinalizers) return { do: "nothing", current };
	}
	const object = copyObject(old);
	object.metadata.resourceVersion = unassigned;
	if (finalizers.length > 0) object.metadata.finalizers = finalizers;
	else if (object.metadata.finalizers !== undefined) object.metadata.finalizers = undefined as unknown as string[];
	setDeletion(context, target, object, old, graceSeconds);
	return { do: "put", object };
}

function setDeletion(
	{ server }: Context,
	target: NamedTarget,
	object: KubeObject,
	old: KubeObject,
	graceSeconds: number,
): void {
	const { metadata } = object;
	const before = old.metadata.deletionTimestamp;
	if (before === undefined) {
		metadata.deletionTimestamp = timestamp(server.clock.now() + graceSeconds * 1000);
		// A deletion changes the desired state.
		if (target.kind.hasGeneration && metadata.generation !== undefined) metadata.generation++;
	} else if (graceSeconds < (old.metadata.deletionGracePeriodSeconds ?? 0)) {
		const shorterMs = ((old.metadata.deletionGracePeriodSeconds ?? 0) - graceSeconds) * 1000;
		metadata.deletionTimestamp = timestamp(parseTimestamp(before) - shorterMs);
	} else return;
	if (target.kind.markDeleted === undefined) metadata.deletionGracePeriodSeconds = graceSeconds;
	else target.kind.markDeleted(object);
}

/** The grace period for the object's agent; 0 if nothing delays the removal. */
function graceFor(target: NamedTarget, old: KubeObject, options: DeleteOptions): number {
	const seconds = target.kind.gracePeriodSeconds?.(old, options.gracePeriodSeconds);
	if (seconds === undefined) return 0;
	const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
	// A second deletion without a grace period changes nothing, and neither does one with a longer grace period.
	if (deletionTimestamp === undefined) return seconds;
	const running = deletionGracePeriodSeconds ?? 0;
	return options.gracePeriodSeconds === undefined ? running : Math.min(running, seconds);
}

function finalizersFor(target: NamedTarget, old: KubeObject, options: DeleteOptions): string[] {
	const before = old.metadata.finalizers ?? [];
	const propagation =
		options.propagation ??
		(before.includes(orphanFinalizer) ? "Orphan" : before.includes(foregroundFinalizer) ? "Foreground" : undefined) ??
		target.kind.defaultPropagation ??
		"Background";
	const others = before.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
	if (propagation === "Orphan") return [...others, orphanFinalizer];
	return propagation === "Foreground" ? [...others, foregroundFinalizer] : others;
}
