/** pods/log. */

import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { integerOf } from "../../core/selection/query.ts";
import { shortened } from "../../core/shown.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { dial, forward } from "../backends/agent.ts";
import { methodNotAllowed, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { placeOf } from "./pod-container.ts";

export async function log(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "get") throw methodNotAllowed();
	const query = new URLSearchParams(context.request.query);
	checkOptions(query, target.name ?? "");
	const place = placeOf(context, target, "log");
	query.delete("container");
	const connection = await dial(context.server, place.node);
	const path = `/containerLogs/${place.path}${query.size === 0 ? "" : `?${query}`}`;
	return logAnswer(await forward(context, connection, path));
}

/** The agent's errors are plain text; clients expect a Status. @throws ApiError */
export async function logAnswer(response: ApiResponse): Promise<ApiResponse> {
	if (response.type !== "stream" || response.status < 400) return response;
	throw new ApiError(response.status === 404 ? "NotFound" : "BadRequest", await text(response.body));
}

/** @throws ApiError Invalid, in upstream's words */
export function checkOptions(query: URLSearchParams, name: string): void {
	const problems: string[] = [];
	const number = (field: string, least: number, words: string) => {
		const value = integerOf(query.get(field));
		if (value !== undefined && value < least) problems.push(`${field}: Invalid value: ${value}: ${words}`);
	};
	number("tailLines", 0, "must be greater than or equal to 0");
	number("limitBytes", 1, "must be greater than 0");
	number("sinceSeconds", 1, "must be greater than 0");
	const sinceTime = query.get("sinceTime") ?? "";
	if (sinceTime !== "" && Number.isNaN(parseTimestamp(sinceTime))) throw noTime(sinceTime);
	if (query.get("sinceSeconds") && sinceTime !== "")
		problems.push("sinceSeconds: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (problems.length === 0) return;
	const list = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
	throw new ApiError("Invalid", `PodLogOptions "${name}" is invalid: ${list}`);
}

function noTime(value: string): ApiError {
	const quoted = JSON.stringify(shortened(value));
	return new ApiError("BadRequest", `parsing time ${quoted} as "2006-01-02T15:04:05Z07:00": cannot parse ${quoted}`);
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
	const largestBytes = 64 * 1024;
	const chunks: Uint8Array[] = [];
	let byteCount = 0;
	for await (const chunk of body) {
		chunks.push(chunk);
		byteCount += chunk.length;
		if (byteCount > largestBytes) break;
	}
	return Buffer.concat(chunks).toString().trim();
}
