/**
 * Expectations, as in upstream's controllers (here also "own-write barrier"): the writes of a key that the informer
 * cache must show before the key is planned again. Without them, a controller acts twice whenever a watch is late.
 */

import type { Informer } from "../../client/informer-cache.ts";
import { ApiError, isReason, messageOf, type Reason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

/** Reasons with which the server rejects a write. After any other error the write may have happened. */
const refusals: readonly Reason[] = [
	"BadRequest",
	"Unauthorized",
	"Forbidden",
	"NotFound",
	"MethodNotAllowed",
	"NotAcceptable",
	"AlreadyExists",
	"Conflict",
	"Gone",
	"Expired",
	"RequestEntityTooLarge",
	"UnsupportedMediaType",
	"Invalid",
	"TooManyRequests",
	"ServiceUnavailable",
];

/** Reasons that mean that the informer cache lags behind: the cluster has changed since the plan was made. */
const outdated: readonly Reason[] = ["NotFound", "AlreadyExists", "Conflict"];

export class Expectations {
	/** Kind → the newest revision of the key's writes. */
	readonly #revisions = new Map<Kind, number>();
	/** Kinds with a possible write at an unknown revision. */
	readonly #unknown = new Set<Kind>();
	/** Deleted objects that the informer cache must show as deleted or terminating. */
	#deletions: { kind: Kind; namespace: string | undefined; name: string; uid: string }[] = [];

	get empty(): boolean {
		return this.#revisions.size === 0 && this.#unknown.size === 0 && this.#deletions.length === 0;
	}

	wrote(kind: Kind, answer: object): void {
		// Responses to writes are objects of the kind, or a Status without a revision.
		const revision = Number((answer as Partial<KubeObject>).metadata?.resourceVersion);
		if (revision > (this.#revisions.get(kind) ?? 0)) this.#revisions.set(kind, revision);
	}

	/** A write whose response may not contain its revision: a binding returns a Status. */
	wroteUnknown(kind: Kind, answer: object): void {
		if ((answer as Partial<KubeObject>).metadata?.resourceVersion === undefined) this.#unknown.add(kind);
		else this.wrote(kind, answer);
	}

	/**
	 * The response to a deletion may contain the revision of the deletion, the previous one, or none, so the object
	 * itself is checked.
	 */
	deleted(kind: Kind, known: KubeObject | undefined, answer: object): void {
		this.wrote(kind, answer);
		if (known === undefined) return;
		const { namespace, name, uid } = known.metadata;
		this.#deletions.push({ kind, namespace, name, uid });
	}

	failed(kind: Kind, error: unknown): void {
		if (!isReason(error, ...refusals) || isReason(error, ...outdated)) this.#unknown.add(kind);
	}

	/**
	 * Resolves when the informer cache has caught up.
	 * @param newest the store's newest revision, requested after writes with an unknown result
	 * @throws errors of `newest`; the caller must call it again
	 */
	async passed(
		informerOf: (kind: Kind) => Informer<KubeObject> | undefined,
		newest: () => Promise<number>,
		signal: AbortSignal,
	): Promise<void> {
		if (this.#unknown.size > 0) {
			const unknown = [...this.#unknown];
			const revision = await newest();
			for (const kind of unknown) {
				this.#unknown.delete(kind);
				this.#revisions.set(kind, Math.max(revision, this.#revisions.get(kind) ?? 0));
			}
		}
		for (const [kind, revision] of this.#revisions) {
			const informer = informerOf(kind);
			if (informer !== undefined && informer.revision < revision) await informer.reached(revision, signal);
			this.#revisions.delete(kind);
		}
		if (this.#deletions.length === 0) return;
		const missing = this.#deletions.filter((deletion) => {
			const informer = informerOf(deletion.kind);
			const object = informer?.get(deletion.namespace, deletion.name);
			return object?.metadata.uid === deletion.uid && object.metadata.deletionTimestamp === undefined;
		});
		this.#deletions = [];
		if (missing.length === 0) return;
		for (const { kind } of missing) this.#unknown.add(kind);
		await this.passed(informerOf, newest, signal);
	}
}

/** The reason and message of a failure, as of an ApiError. */
export function reasonOf(error: unknown): { reason: Reason; message: string } {
	if (error instanceof ApiError) return { reason: error.reason, message: error.message };
	return { reason: "InternalError", message: messageOf(error) };
}

/** Whether the plan failed because its input was outdated: planning again, from newer data, resolves it. */
export function isOutdated(error: unknown): boolean {
	return isReason(error, ...outdated);
}
