/** CREATE: decodes the new object, and responds with the created one. */
import type { ApiResponse } from "../../core/exchange.ts";
import { readObjectBody } from "../body.ts";
import { decodeObject } from "../decode.ts";
import { createObject } from "../mutate/create.ts";
import { present } from "../present.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, type Target } from "../target.ts";

export async function create(context: Context, target: Target): Promise<ApiResponse> {
	if (target.name !== undefined || (target.kind.namespaced && target.namespace === undefined)) throw methodNotAllowed();
	const body = readObjectBody(context.request, target.kind.kind);
	const cached = await createObject(context, target, () => decodeObject(context, target, body));
	return present(context, target, cached, 201);
}
