/** CREATE: decodes the new object, and responds with the created one. */
import type { ApiResponse } from "../../core/exchange.ts";
import { createObject } from "../mutate/create.ts";
import { decodeObject } from "../resources/decode.ts";
import { present } from "../resources/present.ts";
import { methodNotAllowed, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { readObjectBody } from "../wire/body.ts";

export async function create(context: Context, target: Target): Promise<ApiResponse> {
	if (target.name !== undefined || (target.kind.namespaced && target.namespace === undefined)) throw methodNotAllowed();
	const body = readObjectBody(context.request, target.kind.kind);
	const cached = await createObject(context, target, () => decodeObject(context, target, body));
	return present(context, target, cached, 201);
}
