/** Passes requests for a group version on to the extension API server that serves it. */
import type { IncomingMessage } from "node:http";
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { answeredHeaders, isForwarded } from "../backends/agent.ts";
import { reasonOf } from "../backends/webhook-client.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { Context } from "../server/server.ts";
import { textResponse } from "../wire/respond.ts";
import type { Backend } from "./backend.ts";
import { identityHeaders, whoAsksHeaders } from "./identity-headers.ts";
import { objectAnswer, watchAnswer } from "./in-process.ts";
import { hasBeenHere, loopHeader } from "./loops.ts";

/** For everything except watches and streams, as upstream's `--request-timeout`. */
const timeoutMs = 60_000;
const lasting = new Set(["attach", "exec", "log", "portforward", "proxy"]);

/**
 * @param backend undefined while its APIService is not available
 * @throws ApiError TooManyRequests, Timeout; ServiceUnavailable for a client of this process
 */
export async function proxyTo(context: Context, backend: Backend | undefined): Promise<ApiResponse> {
	const { request } = context;
	if (backend === undefined || hasBeenHere(request.headers)) return unavailable(context, "service unavailable");
	const path = request.query.size === 0 ? request.path : `${request.path}?${request.query}`;
	const ending = endingOf(context);
	try {
		if (request.upgrade) return await switched(context, backend, path);
		const { method } = request;
		const sent = { method, path, headers: headersOf(context), body: bodyOf(context), signal: ending.signal };
		const response = await backend.pass(sent);
		ending.begun();
		response.once("close", ending.over);
		return await answered(context, response);
	} catch (error) {
		ending.over();
		if (ending.signal.reason instanceof ApiError) throw ending.signal.reason;
		if (error instanceof ApiError) throw error;
		return unavailable(context, `error trying to reach service: ${reasonOf(error)}`);
	}
}

/** Aborts when the client disconnects, or after a timeout, which for watches and streams ends when they begin. */
function endingOf({ server, info, request }: Context) {
	const { clock, options } = server;
	const ending = new AbortController();
	const end = () => ending.abort();
	request.signal.addEventListener("abort", end, { once: true });
	const timer = (options.wallClock ?? clock).after(timeoutMs, () =>
		ending.abort(new ApiError("Timeout", "Timeout: request did not complete within the allotted timeout", {})),
	);
	return {
		signal: ending.signal,
		begun() {
			if (isLasting(info)) timer.cancel();
		},
		over() {
			timer.cancel();
			request.signal.removeEventListener("abort", end);
		},
	};
}

function isLasting({ verb, resource }: RequestInfo): boolean {
	return verb === "watch" || lasting.has(resource?.subresource ?? "");
}

async function switched(context: Context, backend: Backend, path: string): Promise<ApiResponse> {
	// Made first: not every name can be said in a header.
	const who = identityHeaders(context.user);
	const connection = await backend.connect();
	// What a client says there of its own connection must not take away from who asks.
	const identity = { connection: "Upgrade", ...loopHeader(context.request.headers), ...who };
	return { type: "connection", status: 101, headers: {}, connection, path, host: backend.host, identity };
}

function headersOf({ request, user, server }: Context): Record<string, string | string[]> {
	const headers: Record<string, string | string[]> = {};
	const saysWhoAsks = whoAsksHeaders(server.options.identityHeaders);
	for (const [name, value] of Object.entries(request.headers))
		if (value !== undefined && isForwarded(name) && !saysWhoAsks(name)) headers[name] = value;
	const { "x-forwarded-for": before } = headers;
	const { remoteAddress } = request.peer ?? {};
	if (remoteAddress !== undefined)
		headers["x-forwarded-for"] = before === undefined ? remoteAddress : `${before}, ${remoteAddress}`;
	return Object.assign(headers, loopHeader(request.headers), identityHeaders(user));
}

function bodyOf({ request: { body } }: Context): Uint8Array | undefined {
	if (body === undefined) return undefined;
	return "bytes" in body ? body.bytes : Buffer.from(JSON.stringify(body.object));
}

/** Any response except a redirect to another host. */
async function answered({ info, request }: Context, response: IncomingMessage): Promise<ApiResponse> {
	const { statusCode: status = 502, headers } = response;
	if (status >= 300 && status < 400 && headers.location !== undefined) {
		response.destroy();
		return textResponse("the backend attempted to redirect this request, which is not permitted\n", 502);
	}
	const isJson = headers["content-type"]?.startsWith("application/json") === true;
	if (request.peer === undefined && isJson)
		return info.verb === "watch" && status === 200 ? watchAnswer(response) : objectAnswer(response);
	return { type: "stream", status, headers: answeredHeaders(response), body: response };
}

/** Plain text, as upstream. */
function unavailable({ request }: Context, why: string): ApiResponse {
	if (request.peer === undefined) throw new ApiError("ServiceUnavailable", why);
	return textResponse(`${why}\n`, 503);
}
