import { type ApiError, invalid } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { timestamp } from "../../core/time/clock.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { mainStrategy, needless } from "../mutate/strategies.ts";
import { updateObject } from "../mutate/update.ts";
import type { Strategy } from "../mutate/write.ts";
import { decodeObject } from "../resources/decode.ts";
import { present } from "../resources/present.ts";
import { type NamedTarget, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { readObjectBody } from "../wire/body.ts";

export async function update(
	context: Context,
	target: Target,
	strategy: Strategy = mainStrategy(target.kind, timestamp(context.server.clock.now())),
): Promise<ApiResponse> {
	const wanted = named(target);
	const body = readObjectBody(context.request, target.kind.kind);
	const cached = await updateObject(context, wanted, {
		make({ object: current }) {
			const object = decodeObject(context, target, body, { skips: needless(strategy, current) });
			if (target.kind.replacesOnlyKnown && !object.metadata.resourceVersion) throw versionNeeded(wanted);
			return object;
		},
		strategy,
	});
	return present(context, target, cached);
}

function versionNeeded({ kind, name }: NamedTarget): ApiError {
	return invalid(kind, name, [invalidValue("metadata.resourceVersion", 0, "must be specified for an update")]);
}
