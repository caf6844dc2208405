import type { ApiResponse } from "../../core/exchange.ts";
import { servedForm } from "../resources/forms.ts";
import { present } from "../resources/present.ts";
import { existing, named, type Target } from "../resources/target.ts";
import type { Context, Server } from "../server/server.ts";
import { revisionOf } from "./resource-version.ts";

export async function get(context: Context, target: Target): Promise<ApiResponse> {
	const wanted = named(target);
	await freshEnough(context.server, revisionOf(context.request.query.get("resourceVersion")));
	const cached = existing(wanted);
	return present(context, target, wanted.kind.custom === undefined ? cached : await servedForm(wanted.kind, cached));
}

/** Waits until the cache is fresh enough: for 0 never, for a revision until that, without one until the newest. */
export async function freshEnough({ cache }: Server, revision: number | undefined): Promise<void> {
	if (revision === undefined) await cache.fresh();
	else await cache.reached(revision);
}
