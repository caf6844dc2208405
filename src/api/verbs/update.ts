import type { ApiResponse } from "../../core/exchange.ts";
import { readObjectBody } from "../body.ts";
import { decodeObject } from "../decode.ts";
import { mainStrategy, needless } from "../mutate/strategies.ts";
import { updateObject } from "../mutate/update.ts";
import type { Strategy } from "../mutate/write.ts";
import { present } from "../present.ts";
import type { Context } from "../server.ts";
import { named, type Target } from "../target.ts";

export async function update(
	context: Context,
	target: Target,
	strategy: Strategy = mainStrategy(target.kind),
): Promise<ApiResponse> {
	const wanted = named(target);
	const body = readObjectBody(context.request, target.kind.kind);
	const cached = await updateObject(context, wanted, {
		make: ({ object }) => decodeObject(context, target, body, { skips: needless(strategy, object) }),
		strategy,
	});
	return present(context, target, cached);
}
