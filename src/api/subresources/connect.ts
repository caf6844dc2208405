/** exec, attach and port-forward without an upgrade: told so, after the same checks as with one. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { Context } from "../server.ts";
import type { Target } from "../target.ts";
import { placeOf } from "./pod-container.ts";

export async function connect(context: Context, target: Target): Promise<ApiResponse> {
	placeOf(context, target, target.subresource ?? "");
	throw new ApiError("BadRequest", "Upgrade request required");
}
