/**
 * Expectations, as upstream's controllers call them (here also "own-write barrier"): what a key's own writes still have
 * to show up as in the informer cache before the key is planned again. Without them every delay of a watch makes a
 * controller act twice.
 */

import type { Informer } from "../../client/informer-cache.ts";
import { ApiError, isReason, messageOf, type Reason } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";

/** Reasons that say the server refused: nothing was written. With any other error the write may have happened. */
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

/** Reasons that say the informer cache is behind: the world has moved on since the plan was made. */
const outdated: readonly Reason[] = ["NotFound", "AlreadyExists", "Conflict"];

export class Expectations {
	/** Kind → the newest revision of the key's writes. */
	readonly #revisions = new Map<Kind, number>();
	/** Kinds of which something may have been written at a revision that is not known yet. */
	readonly #unknown = new Set<Kind>();
	/** Deleted objects that the informer cache has to show as gone or going. */
	#deletions: { kind: Kind; namespace: string | undefined; name: string; uid: string }[] = [];

	get empty(): boolean {
		return this.#revisions.size === 0 && this.#unknown.size === 0 && this.#deletions.length === 0;
	}

	wrote(kind: Kind, answer: object): void {
		// Answers to writes are objects of the kind, or a Status without a revision.
		const revision = Number((answer as Partial<KubeObject>).metadata?.resourceVersion);
		if (revision > (this.#revisions.get(kind) ?? 0)) this.#revisions.set(kind, revision);
	}

	/** A write whose answer may not say at which revision it happened: a binding is answered with a Status. */
	wroteUnknown(kind: Kind, answer: object): void {
		if ((answer as Partial<KubeObject>).metadata?.resourceVersion === undefined) this.#unknown.add(kind);
		else this.wrote(kind, answer);
	}

	/**
	 * An answer to a deletion may carry the revision of the deletion, the one before, or none: what counts is that the
	 * object goes.
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
	 * @param newest the store's newest revision; asked for after the writes whose fate is unknown
	 * @throws what `newest` throws: then to be called again
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

/** The failure as an ApiError's reason and message. */
export function reasonOf(error: unknown): { reason: Reason; message: string } {
	if (error instanceof ApiError) return { reason: error.reason, message: error.message };
	return { reason: "InternalError", message: messageOf(error) };
}

/** True when the plan failed because it was made from an old picture: planning again, from a newer one, is the cure. */
export function isOutdated(error: unknown): boolean {
	return isReason(error, ...outdated);
}
