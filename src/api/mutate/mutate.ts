/**
 * The one write path: every verb, every subresource, eviction, binding and expiry describe a `Change`; admission,
 * validation, dry runs, the commit and the conflict retry are implemented here.
 */
import { type ApiError, alreadyExists } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { allocate } from "../admission/admission.ts";
import type { Cached } from "../cache/cached.ts";
import { objectKey } from "../cache/keys.ts";
import { servedForm, storedForm } from "../resources/forms.ts";
import type { Target } from "../resources/target.ts";
import type { Companions, Context } from "../server/server.ts";
import { type Outcome, putObject, removeObjects } from "./commit.ts";
import { unstored } from "./dry-run.ts";
import { retryOnConflict } from "./retry.ts";
import { settle } from "./settle.ts";
import { type Write, type WriteParts, writeOf } from "./write.ts";

/**
 * A change of one object.
 * @template C the current object at the beginning of an attempt; undefined for a create
 */
export interface Change<C extends Cached | undefined>
	extends Pick<WriteParts, "strategy" | "ownsManagedFields" | "sent"> {
	readonly operation: Write["operation"];
	/** Everything is checked, but nothing is written. */
	readonly dryRun: boolean;
	/** @throws ApiError if the object does not exist or does not meet the preconditions */
	read(): C | Promise<C>;
	/** The new object, created for each attempt. For a deletion, the current object. */
	make(current: C): KubeObject | Promise<KubeObject>;
	/**
	 * A conflict between the new object and the current one, which is retried.
	 * @throws ApiError if a retry cannot succeed
	 */
	conflictOf?(object: KubeObject, current: C): undefined | Promise<ApiError | undefined>;
	/** What to do with the settled object. */
	finish(object: KubeObject, current: C): Ending;
	/**
	 * A comparison failed.
	 * @returns the error of the last attempt
	 * @throws ApiError if a retry cannot succeed
	 */
	failed(write: Write, taken: readonly string[]): ApiError;
}

export type Ending =
	| { do: "put"; object: KubeObject }
	| { do: "remove"; current: Cached }
	| { do: "nothing"; current: Cached };

/** The object's current state; after its removal, its last state with the revision of the removal. */
export interface Mutated {
	cached: Cached;
	gone: boolean;
}

/** @throws ApiError NotFound, AlreadyExists, Conflict, Invalid, or an error of admission */
export function mutate<C extends Cached | undefined>(
	context: Context,
	target: Target,
	change: Change<C>,
): Promise<Mutated> {
	return retryOnConflict(() => attempt(context, target, change));
}

async function attempt<C extends Cached | undefined>(
	context: Context,
	target: Target,
	change: Change<C>,
): Promise<Mutated | ApiError> {
	const { server } = context;
	const { operation, strategy, ownsManagedFields, sent, dryRun } = change;
	const { custom } = target.kind;
	let current = await change.read();
	// The same object in another form is no other type.
	if (custom !== undefined && current !== undefined) current = (await servedForm(target.kind, current)) as C;
	const object = await change.make(current);
	const conflict = await change.conflictOf?.(object, current);
	if (conflict !== undefined) return conflict;
	const old = current?.object;
	const write = writeOf(context, target, { operation, object, old, strategy, ownsManagedFields, sent, dryRun });
	const settling = settle(write);
	if (settling !== undefined) await settling;
	const ending = change.finish(object, current);
	if (ending.do === "nothing") return { cached: ending.current, gone: false };
	if (dryRun) return rehearsed(target, ending, current);
	let outcome: Outcome;
	if (ending.do === "put") {
		const key = objectKey(target.kind, target.namespace, object.metadata.name);
		const { companions, kind } = write;
		const stored = custom === undefined ? ending.object : await storedForm(kind, custom, ending.object);
		outcome = await putObject(server, stored, { kind, key, expected: current?.revision ?? 0, companions });
		if (outcome.ok && custom !== undefined) outcome = { ok: true, cached: await servedForm(kind, outcome.cached) };
	} else {
		const releases = await releasesOf(context, target, ending.current);
		outcome = await removeObjects(server, [ending.current], releases);
	}
	if (outcome.ok) return { cached: outcome.cached, gone: ending.do === "remove" };
	return change.failed(write, outcome.taken);
}

/** The response to a dry run. */
function rehearsed(target: Target, ending: Exclude<Ending, { do: "nothing" }>, current: Cached | undefined): Mutated {
	if (ending.do === "remove") return { cached: ending.current, gone: true };
	const { name } = ending.object.metadata;
	const key = objectKey(target.kind, target.namespace, name);
	if (current === undefined && target.objects.get(key) !== undefined) throw alreadyExists(target.kind, name);
	return { cached: unstored(target.kind, key, ending.object, current?.revision), gone: false };
}

/** What a removal releases; synchronous unless an admission step has to wait. */
export function releasesOf(context: Context, target: Target, { object }: Cached): Companions | Promise<Companions> {
	const whole: Target =
		target.subresource === undefined ? target : Object.assign({}, target, { subresource: undefined });
	const write = writeOf(context, whole, { operation: "delete", object, old: object });
	const allocating = allocate(write);
	return allocating === undefined ? write.companions : allocating.then(() => write.companions);
}
