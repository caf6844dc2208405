import type { ApiResponse } from "../../core/exchange.ts";
import type { Strategy } from "../mutate/write.ts";
import { methodNotAllowed, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { get } from "../verbs/get.ts";
import { patch } from "../verbs/patch.ts";
import { update } from "../verbs/update.ts";

/** Subresources that read the whole object and write a part of it. */
export async function partOf(context: Context, target: Target, strategy: Strategy): Promise<ApiResponse> {
	switch (context.info.verb) {
		case "get":
			return get(context, target);
		case "update":
			return update(context, target, strategy);
		case "patch":
			return patch(context, target, strategy);
		default:
			throw methodNotAllowed();
	}
}
