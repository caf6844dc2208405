/** Carries out the actions of one plan. */
import type { Client, Ref } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/recorder.ts";
import { resourcePath } from "../../client/paths.ts";
import { ApiError, isReason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Action, ActionFailure, EventText, Matching } from "./controller.ts";
import { type Expectations, reasonOf } from "./expectations.ts";

export interface ActingParts {
	client: Client;
	recorder: EventRecorder | undefined;
	/** Source component of Events. */
	component: string;
	/** Notified of every write. */
	expectations: Expectations;
	/** The object that the plan was based on. */
	known(kind: Kind, ref: Ref): KubeObject | undefined;
	/** No action begins after it aborts. */
	signal: AbortSignal;
}

/** The action that ended a plan. */
export class FailedAction extends Error {
	readonly action: Pick<ActionFailure, "do" | "kind">;

	constructor(action: Action, cause: unknown) {
		super(`${action.do} failed`, { cause });
		this.action = { do: action.do, ...("kind" in action ? { kind: action.kind } : {}) };
	}
}

/** The maximum number of concurrent writes of one plan. */
const largestBatch = 256;

/** @throws FailedAction for the first failure; later actions (after its batch) were not started */
export async function carryOut(actions: readonly Action[], parts: ActingParts): Promise<void> {
	let place = 0;
	while (place < actions.length) {
		const end = runEnd(actions, place);
		for (let size = 1; place < end; size = Math.min(size * 2, largestBatch)) {
			if (parts.signal.aborted) return;
			const batch = actions.slice(place, Math.min(place + size, end));
			place += batch.length;
			const first = batch[0];
			if (batch.length === 1 && first !== undefined) {
				await one(first, parts);
				continue;
			}
			const results = await Promise.allSettled(batch.map((action) => one(action, parts)));
			for (const result of results) if (result.status === "rejected") throw result.reason;
		}
	}
}

/**
 * The end of the batch of actions that begins at `start`: consecutive creates or deletes of one kind, which are
 * independent of each other, or patches that allow it, with at most one patch per object.
 */
function runEnd(actions: readonly Action[], start: number): number {
	const first = actions[start];
	let end = start + 1;
	if (first === undefined || !isUnordered(first)) return end;
	const patched = new Set<string>();
	for (; end < actions.length; end++) {
		const before = actions[end - 1];
		if (before?.do === "patch") patched.add(refKey(before.ref));
		const next = actions[end];
		if (next === undefined || !isUnordered(next) || next.do !== first.do || next.kind !== first.kind) break;
		if (next.do === "patch" && patched.has(refKey(next.ref))) break;
	}
	return end;
}

function isUnordered(action: Action): action is Action & { do: "create" | "delete" | "patch" } {
	return action.do === "create" || action.do === "delete" || (action.do === "patch" && action.unordered === true);
}

function refKey(ref: Ref): string {
	return `${ref.namespace ?? ""}/${ref.name}`;
}

async function one(action: Action, parts: ActingParts): Promise<void> {
	try {
		await carryOutOne(action, parts);
	} catch (error) {
		if ("kind" in action) parts.expectations.failed(action.kind, error);
		if (isTolerated(action, error)) return;
		if ("failureEvent" in action && action.failureEvent !== undefined) {
			record(parts, action.failureEvent, { name: nameOf(action), error: reasonOf(error).message });
		}
		throw new FailedAction(action, error);
	}
}

function isTolerated(action: Action, error: unknown): boolean {
	if (action.do === "create")
		return (action.orExists === true && isReason(error, "AlreadyExists")) || isNamespaceTerminating(error);
	if (action.do === "patch") return action.orGone === true && isReason(error, "NotFound");
	if (action.do !== "delete") return false;
	const { uid, resourceVersion } = action.options?.preconditions ?? {};
	const isAnother = uid !== undefined && resourceVersion === undefined && isReason(error, "Conflict");
	return isAnother || isReason(error, "NotFound");
}

/** Nothing can be created in a namespace that is being deleted: this is not a failure, and is not retried. */
function isNamespaceTerminating(error: unknown): boolean {
	if (!(error instanceof ApiError)) return false;
	return error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false;
}

async function carryOutOne(action: Action, parts: ActingParts): Promise<void> {
	const { client, expectations } = parts;
	switch (action.do) {
		case "create": {
			const created = await client.create(action.kind, action.draft);
			expectations.wrote(action.kind, created);
			if (action.event !== undefined) record(parts, action.event, { name: created.metadata.name });
			return;
		}
		case "update":
			expectations.wrote(action.kind, await client.update(action.kind, action.object, action.subresource));
			if (action.event !== undefined) record(parts, action.event, { name: action.object.metadata.name });
			return;
		case "updateStatus":
			expectations.wrote(action.kind, await client.updateStatus(action.kind, action.object));
			return;
		case "patch":
			expectations.wrote(action.kind, await client.patch(action.kind, action.ref, action.patch, action.subresource));
			return;
		case "delete": {
			const known = parts.known(action.kind, action.ref);
			expectations.deleted(action.kind, known, await client.delete(action.kind, action.ref, action.options));
			if (action.event !== undefined) record(parts, action.event, { name: action.ref.name });
			return;
		}
		case "createSubresource": {
			const known = parts.known(action.kind, action.ref);
			const answer = await client.createSubresource(action.kind, action.ref, action.subresource, action.body);
			if (action.subresource === "eviction") expectations.deleted(action.kind, known, answer);
			else if (action.subresource !== "token") expectations.wroteUnknown(action.kind, answer);
			return;
		}
		case "confirm": {
			const { kind, uid } = action;
			const object = await client.get(kind, action.ref);
			if (object.metadata.uid === uid && object.metadata.deletionTimestamp === undefined) return;
			throw new ApiError("Conflict", `${kind.kind} ${action.ref.name} has been deleted: its uid was ${uid}`);
		}
		case "confirmAbsent": {
			const { kind, uid } = action;
			const found = await uidOf(client, kind, action.ref);
			if (found === undefined || (uid !== undefined && found !== uid)) return;
			throw new ApiError("Conflict", `${kind.kind} ${action.ref.name} does exist with uid ${found}`);
		}
		case "confirmNone":
			for (const kind of action.kinds) await confirmNone(kind, action.namespace, action.of, parts);
			return;
		case "deleteAll":
			await client.raw("DELETE", resourcePath(action.kind, action.namespace));
			return;
		case "catchUp":
			for (const kind of action.kinds)
				expectations.wrote(kind, { metadata: { resourceVersion: String(action.revision) } });
			return;
		case "event":
			record(parts, action, { name: action.regarding.metadata.name });
	}
}

async function confirmNone(
	kind: Kind,
	namespace: string | undefined,
	of: Matching | undefined,
	{ client, expectations }: ActingParts,
): Promise<void> {
	const where = kind.namespaced && namespace !== undefined ? { namespace } : {};
	const { items } = await client.list(kind, { ...where, ...(of === undefined ? { limit: 1 } : {}) });
	if (of === undefined ? items.length === 0 : !items.some(of.matches)) return;
	const place = namespace ?? "the cluster";
	const error = new ApiError("Conflict", `${place} still holds ${kind.plural} ${of?.which ?? ""}`.trimEnd());
	expectations.failed(kind, error);
	throw error;
}

async function uidOf(client: Client, kind: Kind, ref: Ref): Promise<string | undefined> {
	try {
		return (await client.get(kind, ref)).metadata.uid;
	} catch (error) {
		if (isReason(error, "NotFound")) return undefined;
		throw error;
	}
}

function nameOf(action: Action): string {
	if (action.do === "create") return action.draft.metadata.name ?? action.draft.metadata.generateName ?? "";
	return "ref" in action ? action.ref.name : "";
}

function record(
	{ recorder, component }: ActingParts,
	{ regarding, type, reason, message }: EventText & { regarding: KubeObject },
	values: Record<string, string>,
): void {
	// Only these two are placeholders; other braces belong to the message.
	const text = message.replace(/\{(name|error)\}/g, (whole, name: string) => values[name] ?? whole);
	recorder?.record({ regarding, type, reason, message: text, component });
}
