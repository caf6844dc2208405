/** `POST /history/logs`: agents bring the logs of containers that have ended. */
import { parseWireLogs } from "../../core/ended-log.ts";
import { ApiError, messageOf } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import { nodeNameOf } from "../access/node/node-identity.ts";
import { noSuchResource } from "../resources/target.ts";
import type { Server } from "../server/server.ts";
import { readObjectBody } from "../wire/body.ts";
import { objectResponse } from "../wire/respond.ts";

/** @throws ApiError Forbidden for users that are no nodes */
export async function receiveLogs(server: Server, request: ApiRequest, user: User): Promise<ApiResponse> {
	const { keptLogs } = server.options;
	if (keptLogs === undefined) throw noSuchResource();
	const node = nodeNameOf(user);
	if (node === undefined || node === "") throw new ApiError("Forbidden", "only nodes bring logs");
	const logs = readLogs(readObjectBody(request).value);
	return objectResponse({ done: await keptLogs.receive(logs, node) });
}

function readLogs(value: unknown) {
	try {
		return parseWireLogs(value);
	} catch (error) {
		throw new ApiError("BadRequest", messageOf(error));
	}
}
