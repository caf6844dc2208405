/** pods/exec, pods/attach and pods/portforward: connections that pass through to the pod's agent. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { ensureAllowed } from "../access/authorize.ts";
import { dial } from "../backends/agent.ts";
import { admitConnection } from "../mutate/connection.ts";
import { attributesOf } from "../request/authorizer.ts";
import { methodNotAllowed, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { placeOf } from "./pod-container.ts";

/** Subresources of pods → the agent's path. */
const agentPaths: Readonly<Record<string, string>> = { exec: "exec", attach: "attach", portforward: "portForward" };

export async function connect(context: Context, target: Target): Promise<ApiResponse> {
	const { server, request, info } = context;
	if (info.verb !== "get" && info.verb !== "create") throw methodNotAllowed();
	const action = target.subresource ?? "";
	if (!request.upgrade) {
		placeOf(context, target, action);
		throw new ApiError("BadRequest", "Upgrade request required");
	}
	await ensureMayConnect(context);
	await server.cache.fresh();
	await admitConnection(context, target);
	const place = placeOf(context, target, action);
	const query = new URLSearchParams(request.query);
	query.delete("container");
	const connection = await dial(server, place.node);
	const path = `/${agentPaths[action] ?? action}/${place.path}${query.size === 0 ? "" : `?${query}`}`;
	return { type: "connection", status: 101, headers: {}, connection, path };
}

/**
 * Connections may start with a GET, which only needs permission to read. Clients that reach an agent can run commands.
 * @throws ApiError Forbidden
 */
export async function ensureMayConnect({ server, user, info }: Context): Promise<void> {
	if (info.verb !== "create") await ensureAllowed(server, { ...attributesOf(user, info), verb: "create" });
}
