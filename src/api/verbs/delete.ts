/** DELETE of an object or a collection. */
import { isReason } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { Cached } from "../cache/cached.ts";
import { keyPrefix } from "../cache/keys.ts";
import { deleteObject } from "../mutate/delete.ts";
import { type DeleteOptions, deleteOptionsOf } from "../mutate/options/delete-options.ts";
import { selectionOf } from "../resources/fields.ts";
import { servedForms } from "../resources/forms.ts";
import { present, presentList } from "../resources/present.ts";
import { methodNotAllowed, type NamedTarget, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { objectResponse, successStatus } from "../wire/respond.ts";

export async function deleteOne(context: Context, target: Target): Promise<ApiResponse> {
	const options = deleteOptionsOf(context);
	warn(context, target, options);
	const wanted = named(target);
	const { cached, gone } = await deleteObject(context, wanted, options);
	// The response to a completed deletion is a Status, except for some kinds; otherwise the remaining object.
	const { kind } = target;
	if (!gone || kind.returnsDeleted) return present(context, target, cached);
	const { name, uid } = cached.object.metadata;
	return objectResponse(
		successStatus({ name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural, uid }),
	);
}

/** Deletes the selected objects, and responds with a list of them. */
export async function deleteCollection(context: Context, target: Target): Promise<ApiResponse> {
	const { server, request } = context;
	if (target.kind.deletedOneByOne) throw methodNotAllowed();
	if (target.kind.namespaced && target.namespace === undefined) throw methodNotAllowed();
	const options = deleteOptionsOf(context);
	warn(context, target, options);
	const selection = selectionOf(target, request.query);
	await server.cache.fresh();
	const all = [...target.objects.range(keyPrefix(target.kind, target.namespace))];
	const candidates = selection.onlyMetadata ? all : await servedForms(target.kind, all);
	const chosen = candidates.filter(({ object }) => selection.everything || selection.matches(object));
	const deleted: Cached[] = [];
	const { signal } = request;
	for (const { key, object } of chosen) {
		// The rest is not awaited, and many could have been started.
		if (signal.aborted) break;
		const one: NamedTarget = { ...target, name: object.metadata.name, key };
		try {
			deleted.push((await deleteObject(context, one, options)).cached);
		} catch (error) {
			// It was deleted concurrently.
			if (!isReason(error, "NotFound")) throw error;
		}
	}
	return presentList(context, target, deleted, { resourceVersion: String(server.cache.revision) });
}

function warn({ warnings }: Context, { kind }: Target, { propagation }: DeleteOptions): void {
	if (propagation === undefined && kind.deletionWarning !== undefined) warnings.push(kind.deletionWarning);
}
