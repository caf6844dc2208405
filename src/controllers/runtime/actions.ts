/** Creators of actions that check a draft or object against its kind's type. */
import type { DeleteOptions, Patch, Ref } from "../../client/client.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Action, EventText, Matching } from "./controller.ts";

type RegardingEvent = EventText & { regarding: KubeObject };

export function create<T extends KubeObject>(
	kind: Kind<T>,
	draft: Draft<T>,
	more: { orExists?: true; event?: RegardingEvent; failureEvent?: RegardingEvent } = {},
): Action {
	return { do: "create", kind, draft, ...more };
}

export function update<T extends KubeObject>(
	kind: Kind<T>,
	object: T,
	more: { subresource?: string; event?: RegardingEvent } = {},
): Action {
	return { do: "update", kind, object, ...more };
}

export function updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Action {
	return { do: "updateStatus", kind, object };
}

export function patch(
	kind: Kind,
	ref: Ref,
	change: Patch,
	more: { subresource?: string; orGone?: true; unordered?: true } = {},
): Action {
	return { do: "patch", kind, ref, patch: change, ...more };
}

export function remove(
	kind: Kind,
	object: KubeObject,
	more: { options?: DeleteOptions; event?: RegardingEvent; failureEvent?: RegardingEvent } = {},
): Action {
	const { options, ...events } = more;
	return {
		do: "delete",
		kind,
		ref: { namespace: object.metadata.namespace, name: object.metadata.name },
		options: { preconditions: { uid: object.metadata.uid }, ...options },
		...events,
	};
}

export function event(regarding: KubeObject, type: EventText["type"], reason: string, message: string): Action {
	return { do: "event", regarding, type, reason, message };
}

/** Ends the plan unless `object`, read from the API, still exists with the same UID and is not being deleted. */
export function confirm(kind: Kind, object: KubeObject): Action {
	const { namespace, name, uid } = object.metadata;
	return { do: "confirm", kind, ref: { namespace, name }, uid };
}

/**
 * Ends the plan if `ref`, read from the API, exists with this UID (undefined: any): the informer cache of its kind lags
 * behind.
 */
export function confirmAbsent(kind: Kind, ref: Ref, uid?: string): Action {
	return { do: "confirmAbsent", kind, ref, ...(uid === undefined ? {} : { uid }) };
}

/** Deletes every object of the kind in the namespace; for kinds that the controller does not watch. */
export function removeAll(kind: Kind, namespace: string): Action {
	return { do: "deleteAll", kind, namespace };
}

/**
 * Ends the plan if the namespace (undefined: any), read from the API, contains an object of one of these kinds, or one
 * that matches `of`.
 */
export function confirmNone<T extends KubeObject>(
	kinds: readonly Kind<T>[],
	namespace: string | undefined,
	of?: { which: string; matches(object: T): boolean },
): Action {
	// A list of a kind contains only objects of that kind.
	return { do: "confirmNone", kinds, namespace, ...(of === undefined ? {} : { of: of as Matching }) };
}
