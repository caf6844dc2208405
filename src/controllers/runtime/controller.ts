/**
 * A controller plans, the shell acts. `gather` reads the informer cache, `plan` is pure, shell.ts does the rest: queue,
 * expectations, writes, events, backoff.
 */
import type { DeleteOptions, Patch, Ref } from "../../client/client.ts";
import type { Informer, InformerCache } from "../../client/informer-cache.ts";
import type { Random } from "../../core/clock.ts";
import type { Reason } from "../../core/errors.ts";
import type { Draft, KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { KindSource } from "../../kinds/engine/registry.ts";

/**
 * An Event to be recorded; `{name}` in the message of an action's event is the name of the created or deleted object,
 * `{error}` the error's message.
 */
export interface EventText {
	type: "Normal" | "Warning";
	reason: string;
	message: string;
}

/**
 * One write. Actions are carried out in order; a run of creates or deletes of one kind, or of patches that allow it,
 * next to each other goes out in batches of 1, 2, 4, … (upstream's slow start) and stops at the first failure. What
 * fails ends the plan, unless the error is the one the action says it tolerates; the key is then retried with backoff.
 * A create in a namespace that is being deleted is never a failure: the plan continues without it, and no Event is
 * recorded.
 */
// `any` in Kind<any> and KubeObject subtypes: a list of actions mixes kinds, and each action was type-checked when it
// was made by the functions below.
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
	/** `unordered`: may go out at the same time as its neighbours of the same kind that say so too. */
	| { do: "patch"; kind: Kind; ref: Ref; patch: Patch; subresource?: string; orGone?: true; unordered?: true }
	| {
			do: "delete";
			kind: Kind;
			ref: Ref;
			options?: DeleteOptions;
			/** Always tolerates NotFound; with a uid alone as precondition also Conflict (it is another object by now). */
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
	 * Reads the object afresh (not from the informer cache); ends the plan when it is gone, being deleted, or has another
	 * uid. Goes before an adoption: the informer cache may not have seen yet that the owner is being deleted and has just
	 * been made to let go.
	 */
	| { do: "confirm"; kind: Kind; ref: Ref; uid: string }
	/**
	 * Reads afresh, too; ends the plan when an object of that uid (undefined: any) does exist. Goes before what is done
	 * for its absence.
	 */
	| { do: "confirmAbsent"; kind: Kind; ref: Ref; uid?: string }
	/**
	 * Reads afresh, too; ends the plan when the namespace (undefined: any) holds an object of one of these kinds (`of`:
	 * one that it is about).
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
	/** In words, such as `that use claim data`. */
	which: string;
	matches(object: KubeObject): boolean;
}

/** The write that ended a plan. */
export interface ActionFailure {
	do: Action["do"];
	kind?: Kind;
	/** The reason of the ApiError, `InternalError` for anything else. */
	reason: Reason;
	message: string;
}

export interface Plan<Memory = unknown> {
	actions: Action[];
	/**
	 * Passed to the key's next plan, regardless of the result of the actions: for state that is in no object.
	 * Undefined: nothing. It is lost with the controller, and when nothing remains to do for the key.
	 */
	memory?: Memory;
	/**
	 * Epoch milliseconds of the key's next sync, regardless of other changes: for times in objects, which follow the
	 * wall clock.
	 */
	requeueAtMs?: number;
	/** The same, this many milliseconds from now on the monotonic clock: for resync periods and timeouts. */
	requeueAfterMs?: number;
}

/** What a plan may use besides its state. Nothing else is an input. */
export interface PlanContext<Memory = unknown> {
	nowMs: number;
	/** Seeded; for name suffixes and jitter. */
	random: Random;
	/**
	 * What ended the key's previous plan; undefined after a plan that was carried out in full. For conditions such as
	 * ReplicaFailure.
	 */
	failure?: ActionFailure;
	/**
	 * How long the key's plans have continuously requested `requeueAfterMs`, on the monotonic clock; 0 for the first of
	 * them.
	 */
	waitedMs: number;
	/** The key's last plan's `memory`. */
	memory?: Memory;
}

export interface Controller<State, Memory = unknown> {
	/** In kebab case: `statefulset`. */
	name: string;
	/** The Event source component, as upstream, such as `statefulset-controller`. */
	component: string;
	/**
	 * Its service account in kube-system, which upstream names differently from `component` at times; one with a colon is
	 * the user itself. Default: `component`.
	 */
	account?: string;
	/**
	 * The kinds that it watches. `keys` maps a change to the keys to be reconciled (`namespace/name` of the
	 * controller's own objects, or whatever `gather` understands); it must be pure and may read the informer cache.
	 */
	watches: readonly WatchRule[];
	/** For what concerns all kinds, also those that come and go while the controller runs. */
	follows?: {
		kinds: KindSource;
		/** What it watches of a kind; undefined: nothing. Asked once of each. */
		rule(kind: Kind): WatchRule | undefined;
		/** Keys to sync when a kind is added while the controller runs. */
		keys?(kind: Kind, informers: InformerCache): Iterable<string>;
	};
	/** Everything that the plan may read; undefined if there is nothing (left) to do for the key. */
	gather(key: string, informers: InformerCache): State | undefined;
	plan(state: State, context: PlanContext<Memory>): Plan<Memory>;
	/** Keys reconciled at the same time. Default 32. */
	concurrency?: number;
	/**
	 * How long the shell lets changes gather before it plans a key whose last plan is younger than this. Keeps the cost
	 * of a large object in proportion: a plan over n pods, run for each of n pod changes, would be quadratic. Default:
	 * not at all.
	 */
	coalesceMs?(key: string, informers: InformerCache): number;
}

export interface WatchRule {
	kind: Kind;
	keys(current: KubeObject | undefined, old: KubeObject | undefined, informers: InformerCache): Iterable<string>;
	/** Indexes the controller needs on this kind's informer. */
	indexes?: Readonly<Record<string, (object: KubeObject) => readonly string[]>>;
	/**
	 * False: the controller never writes this kind and its plan does not depend on having seen its own writes of it,
	 * so the expectations do not wait for it. Default true.
	 */
	expectations?: boolean;
}

/** A watch rule with its kind's type. */
export function watchRule<T extends KubeObject>(
	kind: Kind<T>,
	keys: (current: T | undefined, old: T | undefined, informers: InformerCache) => Iterable<string>,
	more: { indexes?: Readonly<Record<string, (object: T) => readonly string[]>>; expectations?: boolean } = {},
): WatchRule {
	// The informer of `kind` only ever yields objects of that kind.
	return { kind, keys, ...more } as unknown as WatchRule;
}

export type { Informer, InformerCache };
