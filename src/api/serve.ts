/** What is served under the paths of resources. */
import type { ApiResponse } from "../core/exchange.ts";
import { checkWriteOptions } from "./mutate/options/write-options.ts";
import type { Verb } from "./request/request-info.ts";
import { formatFor } from "./resources/present.ts";
import { methodNotAllowed, noSuchResource, type Target, targetOf } from "./resources/target.ts";
import type { Context } from "./server/server.ts";
import { createBinding } from "./subresources/binding.ts";
import { passesOn, serveSubresource } from "./subresources/subresources.ts";
import { serveComponentStatuses } from "./unstored/component-statuses.ts";
import { serveUsage } from "./unstored/resource-metrics.ts";
import { serveReview } from "./unstored/reviews.ts";
import { create } from "./verbs/create.ts";
import { deleteCollection, deleteOne } from "./verbs/delete.ts";
import { get } from "./verbs/get.ts";
import { list } from "./verbs/list.ts";
import { patch } from "./verbs/patch.ts";
import { update } from "./verbs/update.ts";
import { watch } from "./verbs/watch.ts";
import { refuseProtobuf } from "./wire/body.ts";

const verbs: Readonly<Record<Verb, ((context: Context, target: Target) => Promise<ApiResponse>) | undefined>> = {
	get,
	list,
	watch,
	create,
	update,
	patch,
	delete: deleteOne,
	deletecollection: deleteCollection,
	other: undefined,
};

/** @throws ApiError synchronously for unknown paths, or in the promise */
export function serveResource(context: Context): Promise<ApiResponse> {
	const target = targetOf(context.server, context.info);
	if (target === undefined) return serveUnstored(context);
	const deprecation = target.served?.deprecation ?? target.kind.deprecation;
	if (deprecation !== undefined) context.warnings.push(deprecation);
	if (!passesOn.has(target.subresource)) checkWriteOptions(context);
	if (target.subresource !== undefined) return serveSubresource(context, target);
	const { verb } = context.info;
	// Before anything is written for a client that cannot read the answer.
	formatFor(context, target);
	const serve = verbs[verb];
	if (target.kind.custom !== undefined && (verb === "create" || verb === "update")) refuseProtobuf(context.request);
	if (serve === undefined) throw methodNotAllowed();
	if (target.kind.readOnly && verb !== "get" && verb !== "list" && verb !== "watch") throw methodNotAllowed();
	return serve(context, target);
}

/** Reviews, usage, and `bindings`, which is another name for the subresource of pods. */
function serveUnstored(context: Context): Promise<ApiResponse> {
	const { resource } = context.info;
	if (resource === undefined) throw noSuchResource();
	if (resource.group === "" && resource.plural === "bindings" && resource.namespace !== undefined)
		return createBinding(context, resource.namespace);
	const answer =
		serveReview(context, resource) ?? serveUsage(context, resource) ?? serveComponentStatuses(context, resource);
	if (answer === undefined) throw noSuchResource();
	return answer;
}
