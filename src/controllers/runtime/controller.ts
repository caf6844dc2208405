/**
 * A controller plans, the shell acts. `gather` reads the informer cache, `plan` is pure, and shell.ts does the rest:
 * queue, expectations, writes, Events, backoff.
 */
import type { DeleteOptions, Patch, Ref } from "../../client/client.ts";
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import type { Reason } from "../../core/errors.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import type { Random } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { KindSource } from "../../kinds/engine/registry.ts";

/**
 * An Event to be recorded; `{name}` in the message of an action's Event is the name of the created or deleted object,
 * `{error}` the error's message.
 */
export interface EventText {
	type: "Normal" | "Warning";
	reason: string;
	message: string;
}

/**
 * One write. Actions are carried out in order; consecutive creates or deletes of one kind, or patches that allow it,
 * are sent in batches of 1, 2, 4, … (upstream's slow start) until the first failure. A failure ends the plan, unless
 * the action tolerates the error; the key is then retried with backoff. A create in a namespace that is being deleted
 * is not a failure: the plan continues without it, and no Event is recorded.
 */
// `any` in Kind<any> and KubeObject subtypes: a list of actions contains different kinds, and the functions below check
// the types of each action.
export type Action =
	| {
			do: "create";
			kind: Kind;
			draft: Draft<KubeObject>;
			/** Tolerates AlreadyExists. */
			orExists?: true;
			event?: EventText & { regarding: KubeObject };
			failureEvent?: EventText & { regarding: KubeObject };
	  }
	| {
			do: "update";
			kind: Kind;
			object: KubeObject;
			subresource?: string;
			event?: EventText & { regarding: KubeObject };
	  }
	| { do: "updateStatus"; kind: Kind; object: KubeObject }
	/** `unordered`: may be sent together with adjacent ones of the same kind that set it, too. */
	| { do: "patch"; kind: Kind; ref: Ref; patch: Patch; subresource?: string; orGone?: true; unordered?: true }
	| {
			do: "delete";
			kind: Kind;
			ref: Ref;
			options?: DeleteOptions;
			/**
			 * Always tolerates NotFound; with only a UID as precondition also Conflict (the name belongs to another object
			 * now).
			 */
			event?: EventText & { regarding: KubeObject };
			failureEvent?: EventText & { regarding: KubeObject };
	  }
	/** POST to a subresource: pods/binding, pods/eviction. */
	| {
			do: "createSubresource";
			kind: Kind;
			ref: Ref;
			subresource: string;
			body: object;
			failureEvent?: EventText & { regarding: KubeObject };
	  }
	/**
	 * Reads the object from the API; ends the plan if it does not exist, is being deleted, or has another UID. Precedes
	 * an adoption: the informer cache may not show yet that the owner is being deleted and has just released its
	 * dependents.
	 */
	| { do: "confirm"; kind: Kind; ref: Ref; uid: string }
	/**
	 * Also reads from the API; ends the plan if an object with that UID (undefined: any) exists. Precedes actions that
	 * assume its absence.
	 */
	| { do: "confirmAbsent"; kind: Kind; ref: Ref; uid?: string }
	/**
	 * Also reads from the API; ends the plan if the namespace (undefined: any) contains an object of one of these kinds
	 * (`of`: one that matches).
	 */
	| { do: "confirmNone"; kinds: readonly Kind[]; namespace: string | undefined; of?: Matching }
	/** Deletes all objects of a kind in a namespace, in one request; for kinds that the controller does not watch. */
	| { do: "deleteAll"; kind: Kind; namespace: string }
	/**
	 * Writes nothing: the key is not planned again before the informer cache has seen this revision in these kinds, which
	 * the controller watches.
	 */
	| { do: "catchUp"; kinds: readonly Kind[]; revision: number }
	| ({ do: "event"; regarding: KubeObject } & EventText);

/** Some of the objects of a kind. */
export interface Matching {
	/** A description, such as `that use claim data`. */
	which: string;
	matches(object: KubeObject): boolean;
}

/** The write that ended a plan. */
export interface ActionFailure {
	do: Action["do"];
	kind?: Kind;
	/** The reason of the ApiError, `InternalError` for other errors. */
	reason: Reason;
	message: string;
}

export interface Plan<Memory = unknown> {
	actions: Action[];
	/**
	 * Passed to the key's next plan, regardless of the result of the actions: for state that is in no object. It is lost
	 * with the controller, and when nothing remains to do for the key.
	 */
	memory?: Memory;
	/**
	 * Epoch milliseconds of the key's next sync, regardless of changes: for times in objects, which follow the wall
	 * clock.
	 */
	requeueAtMs?: number;
	/** The same, this many milliseconds from now on the monotonic clock: for resync periods and timeouts. */
	requeueAfterMs?: number;
}

/** All inputs of a plan except its state. */
export interface PlanContext<Memory = unknown> {
	nowMs: number;
	/** Seeded; for name suffixes and jitter. */
	random: Random;
	/**
	 * The failure that ended the key's previous plan; undefined after a plan that was carried out completely. For
	 * conditions such as ReplicaFailure.
	 */
	failure?: ActionFailure;
	/**
	 * How long the key's plans have continuously requested `requeueAfterMs`, on the monotonic clock; 0 for the first of
	 * them.
	 */
	waitedMs: number;
	/** The `memory` of the key's last plan. */
	memory?: Memory;
}

export interface Controller<State, Memory = unknown> {
	/** In kebab case: `statefulset`. */
	name: string;
	/** The source component of Events, as upstream, such as `statefulset-controller`. */
	component: string;
	/**
	 * Its service account in kube-system, whose name sometimes differs from `component` upstream; a name with a colon is
	 * a user. Default: `component`.
	 */
	account?: string;
	/**
	 * The kinds that it watches. `keys` maps a change to the keys to reconcile (`namespace/name` of the controller's own
	 * objects, or whatever `gather` accepts); it must be pure and may read the informer cache.
	 */
	watches: readonly WatchRule[];
	/** For controllers of all kinds, including those that are added and removed while the controller runs. */
	follows?: {
		kinds: KindSource;
		/** The watch rule of a kind; undefined: none. Called once per kind. */
		rule(kind: Kind): WatchRule | undefined;
		/** Keys to sync when a kind is added while the controller runs. */
		keys?(kind: Kind, informers: InformerCache): Iterable<string>;
	};
	/**
	 * For changes outside of the API: called once, with a function that syncs a key.
	 * @returns a function that ends this
	 */
	wakes?(sync: (key: string) => void): () => void;
	/** All inputs of the plan; undefined if there is nothing (left) to do for the key. */
	gather(key: string, informers: InformerCache): State | undefined;
	plan(state: State, context: PlanContext<Memory>): Plan<Memory>;
	/** The number of keys reconciled concurrently. Default 32. */
	concurrency?: number;
	/**
	 * How long the shell collects changes before it plans a key again after its last plan. Limits the cost of a large
	 * object: a plan over n pods, run for each of n pod changes, would be quadratic. Default: 0.
	 */
	coalesceMs?(key: string, informers: InformerCache): number;
}

export interface WatchRule {
	kind: Kind;
	keys(current: KubeObject | undefined, old: KubeObject | undefined, informers: InformerCache): Iterable<string>;
	/** Indexes that the controller needs on this kind's informer. */
	indexes?: Readonly<Record<string, (object: KubeObject) => readonly string[]>>;
	/**
	 * False: the controller never writes this kind, or its plan does not depend on its own writes of it, so the
	 * expectations do not wait for it. Default true.
	 */
	expectations?: boolean;
}

/** A watch rule with its kind's type. */
export function watchRule<T extends KubeObject>(
	kind: Kind<T>,
	keys: (current: T | undefined, old: T | undefined, informers: InformerCache) => Iterable<string>,
	more: { indexes?: Readonly<Record<string, (object: T) => readonly string[]>>; expectations?: boolean } = {},
): WatchRule {
	// The informer of `kind` yields only objects of that kind.
	return { kind, keys, ...more } as unknown as WatchRule;
}

export type { Informer, InformerCache };
