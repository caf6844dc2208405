/** DELETE of an object or a collection: at once, or marked and waiting for an agent or for finalizers. */
import { parseTimestamp, timestamp } from "../../core/clock.ts";
import { type ApiError, conflict, isReason } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { deepCopy, type KubeObject } from "../../core/object.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { admit, allocate } from "../admission/admission.ts";
import type { Admitted } from "../admission/step.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { type Companions, putObject, removeObject } from "../commit.ts";
import { selectionOf } from "../fields.ts";
import { unassigned } from "../metadata.ts";
import { present, presentList } from "../present.ts";
import { objectResponse, successStatus } from "../respond.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, type NamedTarget, named, type Target } from "../target.ts";
import { type DeleteOptions, deleteOptionsOf } from "./delete-options.ts";
import { existing } from "./get.ts";
import { fields, holdsNamespace, modified } from "./write.ts";

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";
/** Kinds of the core group that upstream answers with the deleted object. */
const answeredAsObjects = new Set([
	"persistentvolumeclaims",
	"persistentvolumes",
	"pods",
	"podtemplates",
	"resourcequotas",
	"serviceaccounts",
	"services",
]);
const attempts = 10;

export async function deleteOne(context: Context, target: Target): Promise<ApiResponse> {
	const options = deleteOptionsOf(context);
	warn(context, target, options);
	const wanted = named(target);
	const { cached, gone } = await deleteObject(context, wanted, options);
	// What is really gone is answered with a Status, save for some kinds; what stays, with what is left of it.
	if (!gone || (target.kind.group === "" && answeredAsObjects.has(target.kind.plural)))
		return present(context, target, cached);
	const { kind } = target;
	const { name, uid } = cached.object.metadata;
	return objectResponse(
		successStatus({ name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural, uid }),
	);
}

/** Deletes what the selectors select, and answers with a list of it. */
export async function deleteCollection(context: Context, target: Target): Promise<ApiResponse> {
	const { server, request } = context;
	if (target.kind.plural === namespaces.plural && target.kind.group === "") throw methodNotAllowed();
	if (target.kind.namespaced && target.namespace === undefined) throw methodNotAllowed();
	const options = deleteOptionsOf(context);
	warn(context, target, options);
	const selection = selectionOf(target, request.query);
	await server.cache.fresh();
	const chosen: Cached[] = [];
	for (const cached of target.objects.range(keyPrefix(target.kind, target.namespace)))
		if (selection.everything || selection.matches(cached.object)) chosen.push(cached);
	const deleted: Cached[] = [];
	for (const { key, object } of chosen) {
		const one: NamedTarget = { ...target, name: object.metadata.name, key };
		try {
			deleted.push((await deleteObject(context, one, options)).cached);
		} catch (error) {
			// Someone else was faster; that is as good.
			if (!isReason(error, "NotFound")) throw error;
		}
	}
	return presentList(context, target, deleted, { resourceVersion: String(server.cache.revision) });
}

function warn({ warnings }: Context, { kind }: Target, { propagation }: DeleteOptions): void {
	if (propagation === undefined && kind.deletionWarning !== undefined) warnings.push(kind.deletionWarning);
}

/** @returns the object under the revision of its removal (`gone`), or what it is while something holds it */
export async function deleteObject(
	context: Context,
	target: NamedTarget,
	options: DeleteOptions,
): Promise<{ cached: Cached; gone: boolean }> {
	const { server } = context;
	for (let attempt = 1; ; attempt++) {
		let current = target.objects.get(target.key);
		if (current === undefined || differs(current, options, target) !== undefined) {
			await server.cache.fresh();
			current = existing(target);
			const problem = differs(current, options, target);
			if (problem !== undefined) throw problem;
		}
		const companions: Companions = { claims: [], releases: [] };
		await admitDeletion(context, target, current, companions);
		const marked = mark(context, target, current.object, options);
		if (marked === "held") return { cached: current, gone: false };
		if (options.dryRun) return { cached: current, gone: marked === undefined };
		const outcome =
			marked === undefined
				? await removeObject(server, current, companions)
				: await putObject(server, marked, { key: target.key, expected: current.revision });
		if (outcome.ok) return { cached: outcome.cached, gone: marked === undefined };
		if (attempt === attempts) throw modified(target);
	}
}

/** What is wrong with the object by the preconditions. */
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

/** Upstream names the kind here where it names the resource elsewhere. */
function byKind({ kind }: Target): { group: string; plural: string } {
	return { group: kind.group, plural: kind.kind };
}

async function admitDeletion(
	context: Context,
	target: NamedTarget,
	current: Cached,
	companions: Companions,
): Promise<void> {
	const admitted: Admitted = {
		server: context.server,
		user: context.user,
		operation: "delete",
		kind: target.kind,
		namespace: target.kind.namespaced ? target.namespace : undefined,
		name: target.name,
		subresource: target.subresource,
		object: current.object,
		old: current.object,
		companions,
		warnings: context.warnings,
		audit: context.audit,
	};
	const admitting = admit(admitted);
	if (admitting !== undefined) await admitting;
	allocate(admitted);
}

/**
 * The object marked for deletion, `held` when it is marked already and nothing changes, undefined when nothing holds
 * it.
 */
function mark(
	context: Context,
	target: NamedTarget,
	old: KubeObject,
	options: DeleteOptions,
): KubeObject | "held" | undefined {
	const finalizers = finalizersFor(target, old, options);
	const graceSeconds = graceFor(target, old, options);
	const sameFinalizers = finalizers.length === (old.metadata.finalizers ?? []).length;
	const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
	if (deletionTimestamp !== undefined) {
		const isShorter = graceSeconds < (deletionGracePeriodSeconds ?? 0);
		if (graceSeconds === 0 && finalizers.length === 0 && !holdsNamespace(target, old)) return undefined;
		if (!isShorter && sameFinalizers) return "held";
	} else if (graceSeconds === 0 && finalizers.length === 0 && !holdsNamespace(target, old)) return undefined;
	const object = deepCopy(old);
	object.metadata.resourceVersion = unassigned;
	if (finalizers.length > 0) object.metadata.finalizers = finalizers;
	else if (object.metadata.finalizers !== undefined) object.metadata.finalizers = undefined as unknown as string[];
	setDeletion(context, target, object, old, graceSeconds);
	return object;
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
		// A deletion is a change of what is wanted.
		if (target.kind.hasGeneration && metadata.generation !== undefined) metadata.generation++;
	} else if (graceSeconds < (old.metadata.deletionGracePeriodSeconds ?? 0)) {
		const shorterMs = ((old.metadata.deletionGracePeriodSeconds ?? 0) - graceSeconds) * 1000;
		metadata.deletionTimestamp = timestamp(parseTimestamp(before) - shorterMs);
	} else return;
	// Namespaces have a phase instead (core/v1 NamespaceStatus).
	if (isNamespace(target)) fields(object)["status"] = { ...(fields(object)["status"] ?? {}), phase: "Terminating" };
	else metadata.deletionGracePeriodSeconds = graceSeconds;
}

/** How long the object's agent may take; 0 when nobody is to be waited for. */
function graceFor(target: NamedTarget, old: KubeObject, options: DeleteOptions): number {
	const seconds = target.kind.gracePeriodSeconds?.(old, options.gracePeriodSeconds);
	if (seconds === undefined) return 0;
	const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
	// A second deletion without a wish of its own changes nothing; a longer grace than the running one neither.
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

function isNamespace({ kind }: Target): boolean {
	return kind.group === "" && kind.plural === "namespaces";
}
