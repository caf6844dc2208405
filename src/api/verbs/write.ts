/** What PUT, PATCH and the subresources have in common: a new object in the place of an old one. */

import { sameFields, sameJson } from "../../core/equal.ts";
import { type ApiError, type Cause, conflict, invalid } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { trackUpdate } from "../../core/patches/managed-fields.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { admit, allocate, check } from "../admission/admission.ts";
import type { Admitted } from "../admission/step.ts";
import type { Cached } from "../cache/cached.ts";
import { type Companions, putObject, removeObject } from "../commit.ts";
import { metadataForUpdate, metadataUpdateProblems } from "../metadata.ts";
import type { Context } from "../server.ts";
import type { NamedTarget, Target } from "../target.ts";
import { unstored } from "./dry-run.ts";
import { existing } from "./get.ts";
import { checkIdentity } from "./identity.ts";
import { isDryRun } from "./options.ts";
import { problemsOf } from "./problems.ts";
import { writerOf } from "./writer.ts";

/** What a write to a resource, or to one of its subresources, may change, and what must hold afterwards. */
export interface Strategy {
	/** Whether `prepare` keeps a field as it is, whatever was sent; absent: it has to be asked. */
	keeps?(field: string): boolean;
	/** Brings the sent object, whose metadata is settled, and the old one together, in place. */
	prepare(object: KubeObject, old: KubeObject): void;
	validate(object: KubeObject, old: KubeObject): Cause[];
}

/** Everything but status, where a kind has that subresource. */
export function mainStrategy(kind: Kind): Strategy {
	return {
		prepare(object, old) {
			if (kind.subresources.status) keep(object, old, "status");
			kind.prepareForUpdate?.(object, old);
			if (kind.hasGeneration && !sameFields(fields(object), fields(old), notCounted))
				object.metadata.generation = (old.metadata.generation ?? 0) + 1;
		},
		validate: (object, old) => (kind.validate?.(object) ?? []).concat(kind.validateUpdate?.(object, old) ?? []),
	};
}

/** Status, and metadata. @param now RFC 3339 */
export function statusStrategy(kind: Kind, now: string): Strategy {
	const keeps = (field: string) => !statusFields.has(field);
	return {
		keeps,
		prepare(object, old) {
			for (const field of Object.keys(object)) if (keeps(field)) keep(object, old, field);
			for (const field of Object.keys(old)) if (keeps(field)) keep(object, old, field);
			kind.prepareForStatusUpdate?.(object, old, { now });
		},
		validate: (object, old) => kind.validateStatusUpdate?.(object, old) ?? [],
	};
}

const notCounted = new Set(["metadata", "status"]);
const statusFields = new Set(["apiVersion", "kind", "metadata", "status"]);
const apartFromMetadata = new Set(["metadata"]);
/** Changes of these alone are no change. */
const incidental = new Set(["resourceVersion", "managedFields"]);

/** Retries of a write that did not say which state of the object it is about. */
const attempts = 10;

export interface Change {
	/**
	 * The new object from the current one, to be changed by the strategy; called again when the current one turns out to
	 * be outdated.
	 */
	make(current: Cached): KubeObject | Promise<KubeObject>;
	strategy: Strategy;
	/** The new object's managedFields are the ones to be kept (server-side apply). */
	ownsManagedFields?: true;
}

/**
 * @returns the object as it is now; the same as before when nothing changed
 * @throws ApiError NotFound, Conflict, Invalid, or what admission says
 */
export async function writeObject(context: Context, target: NamedTarget, change: Change): Promise<Cached> {
	const { server } = context;
	const dryRun = isDryRun(context.request.query);
	for (let attempt = 1; ; attempt++) {
		let current = target.objects.get(target.key);
		if (current === undefined) {
			await server.cache.fresh();
			current = existing(target);
		}
		const object = await change.make(current);
		const wanted = object.metadata.resourceVersion;
		const conditional = wanted !== undefined && wanted !== "" && wanted !== "0";
		if (conditional && wanted !== String(current.revision)) {
			await server.cache.fresh();
			if (target.objects.get(target.key) === current || attempt === attempts) throw modified(target);
			continue;
		}
		const companions: Companions = { claims: [], releases: [] };
		const { managedFields } = object.metadata;
		await settle(context, target, change.strategy, object, current.object, companions);
		if (change.ownsManagedFields) object.metadata.managedFields = managedFields ?? [];
		else trackFields(context, target, object, current.object, managedFields);
		if (unchanged(object, current.object)) return current;
		if (dryRun) return unstored(target.key, object, current.revision);
		const outcome = isFinished(target, object)
			? await removeObject(server, current, released(context, target, current.object))
			: await putObject(server, object, { key: target.key, expected: current.revision, companions });
		if (outcome.ok) return outcome.cached;
		// One that was about that state of the object and no other is refused the next time round.
		if (attempt === attempts) throw modified(target);
	}
}

/**
 * Keeps account of who set what, for objects that someone applies on the server's side. Others have no such account:
 * it would cost more than all the rest of a write, and the first apply begins one.
 */
function trackFields(
	context: Context,
	target: NamedTarget,
	object: KubeObject,
	old: KubeObject,
	sent: KubeObject["metadata"]["managedFields"],
): void {
	if (old.metadata.managedFields === undefined) return;
	// The account may be edited, and be taken away.
	const updated = { ...object, metadata: { ...object.metadata, managedFields: sent ?? old.metadata.managedFields } };
	const tracked = trackUpdate(fields(old), fields(updated), writerOf(context, target));
	if (tracked.length > 0) object.metadata.managedFields = [...tracked];
	else delete object.metadata.managedFields;
}

async function settle(
	context: Context,
	target: NamedTarget,
	strategy: Strategy,
	object: KubeObject,
	old: KubeObject,
	companions: Companions,
): Promise<void> {
	const { kind, namespace, name } = target;
	checkIdentity(target, object.metadata);
	object.metadata = metadataForUpdate(kind, object.metadata, old.metadata);
	// Parts of subresources' objects that are kept have not been decoded yet.
	const isWhole = target.subresource === undefined;
	if (!isWhole) strategy.prepare(object, old);
	const admitted: Admitted = {
		server: context.server,
		user: context.user,
		operation: "update",
		kind,
		namespace: kind.namespaced ? namespace : undefined,
		name,
		subresource: target.subresource,
		object,
		old,
		companions,
		warnings: context.warnings,
		audit: context.audit,
	};
	const admitting = admit(admitted);
	if (admitting !== undefined) await admitting;
	// After admission, as when an object is made: what that fills in again is no change.
	if (isWhole) strategy.prepare(object, old);
	allocate(admitted);
	const causes = problemsOf(() =>
		metadataUpdateProblems(object.metadata, old).concat(
			strategy.validate(object, old),
			target.served?.validate?.(object, old) ?? [],
		),
	);
	if (causes.length > 0) throw invalid(kind, name, causes);
	const checking = check(admitted);
	if (checking !== undefined) await checking;
	if (kind.warnings !== undefined && target.subresource === undefined) context.warnings.push(...kind.warnings(object));
}

function unchanged(object: KubeObject, old: KubeObject): boolean {
	if (!sameJson(withoutTimes(object), withoutTimes(old))) return false;
	if (!sameFields(fields(object.metadata), fields(old.metadata), incidental)) return false;
	return sameFields(fields(object), fields(old), apartFromMetadata);
}

/** When a manager last wrote is no change of its own. */
function withoutTimes({ metadata: { managedFields = [] } }: KubeObject): object[] {
	return managedFields.map(({ time: _, ...entry }) => entry);
}

/** What an object gives back when it goes. */
function released(context: Context, target: NamedTarget, object: KubeObject): Companions {
	const companions: Companions = { claims: [], releases: [] };
	const { kind, namespace, name } = target;
	const { server, user, warnings, audit } = context;
	const place = kind.namespaced ? namespace : undefined;
	const operation = "delete";
	allocate({
		server,
		user,
		operation,
		kind,
		namespace: place,
		name,
		subresource: undefined,
		object,
		old: object,
		companions,
		warnings,
		audit,
	});
	return companions;
}

/** Nothing holds the object any more: its deletion was only waiting for this. */
function isFinished(target: NamedTarget, object: KubeObject): boolean {
	const { metadata } = object;
	if (holdsNamespace(target, object)) return false;
	if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false;
	return (metadata.deletionGracePeriodSeconds ?? 0) === 0;
}

/** A namespace stays until its own finalizers, in its spec, are gone. */
export function holdsNamespace({ kind }: Pick<Target, "kind">, object: KubeObject): boolean {
	if (kind.group !== "" || kind.plural !== "namespaces") return false;
	const { spec } = object as { spec?: { finalizers?: string[] } };
	return (spec?.finalizers ?? []).length > 0;
}

export function modified(target: NamedTarget): ApiError {
	const why = "the object has been modified; please apply your changes to the latest version and try again";
	return conflict(target.kind, target.name, why);
}

/**
 * Fields that were sent as they are, and are kept: there is nothing to decode. They are the very same in one process.
 */
export function needless({ keeps }: Strategy, current: object): (field: string, content: unknown) => boolean {
	return (field, content) => keeps?.(field) === true && content === fields(current)[field];
}

/** Puts the old object's value of a field in the place of the sent one. */
export function keep(object: KubeObject, old: KubeObject, field: string): void {
	const value = fields(old)[field];
	if (value === undefined && fields(object)[field] === undefined) return;
	fields(object)[field] = value;
}

/** Objects of all kinds are plain records. */
export function fields(object: object): Record<string, unknown> {
	return object as Record<string, unknown>;
}
