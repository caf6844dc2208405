/** namespaces/finalize: the namespace controller has emptied a namespace, and removes its finalizer. */
import type { ApiResponse } from "../../core/exchange.ts";
import { keep } from "../mutate/strategies.ts";
import type { Strategy } from "../mutate/write.ts";
import { methodNotAllowed, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { update } from "../verbs/update.ts";

export async function finalize(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "update") throw methodNotAllowed();
	return update(context, target, strategy);
}

/** Only the finalizers of the spec change. */
const strategy: Strategy = {
	prepare(object, old) {
		keep(object, old, "status");
	},
	validate: () => [],
};
