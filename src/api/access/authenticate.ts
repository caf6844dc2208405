/** The authenticated user. */
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, User } from "../../core/exchange.ts";
import { authenticateToken, TokenRefused } from "../credentials/token-authenticator.ts";
import { showsInvalidCertificate } from "../request/peer.ts";
import type { Server } from "../server/server.ts";

export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Health and version: anonymous requests may read only these paths. */
function isPublic(path: string): boolean {
	return path === "/version" || path === "/version/" || /^\/(healthz|livez|readyz)(\/|$)/.test(path);
}

/**
 * Synchronous if the transport has authenticated the client. @throws ApiError Unauthorized for an unknown or invalid
 * token, and without credentials where they are needed
 */
export function authenticate(server: Server, request: ApiRequest): User | Promise<User> {
	return request.user ?? byToken(server, request);
}

/** How a browser shows its token when it opens a WebSocket: as a subprotocol, besides the one it wants. */
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\.(.+)$/;

/** The subprotocols of a header, without those that are tokens. */
export function withoutToken(protocols: string): string {
	const list = protocols.split(",").map((protocol) => protocol.trim());
	return list.filter((protocol) => !tokenProtocol.test(protocol)).join(", ");
}

/** Undefined without a token: schemes other than Bearer are ignored. */
function tokenOf({ headers }: ApiRequest): string | undefined {
	const { authorization } = headers;
	if (authorization !== undefined) {
		const token = /^\s*bearer ([^ ]+)/i.exec(authorization)?.[1];
		if (token !== undefined) return token;
	}
	return headers["upgrade"]?.toLowerCase() === "websocket" ? protocolToken(headers) : undefined;
}

/** @throws ApiError Unauthorized for several tokens: the server cannot know which one is meant */
function protocolToken(headers: ApiRequest["headers"]): string | undefined {
	const protocols = headers["sec-websocket-protocol"]?.split(",") ?? [];
	const [encoded, ...more] = protocols.flatMap((protocol) => tokenProtocol.exec(protocol.trim())?.[1] ?? []);
	if (encoded === undefined) return undefined;
	if (more.length > 0 || !/^[\w-]+$/.test(encoded)) throw new ApiError("Unauthorized", "Unauthorized");
	return Buffer.from(encoded, "base64url").toString();
}

async function byToken(server: Server, request: ApiRequest): Promise<User> {
	const token = tokenOf(request);
	if (token === undefined) {
		const nowMs = (server.options.wallClock ?? server.clock).now();
		if (isPublic(request.path) && !showsInvalidCertificate(request.peer, nowMs)) return anonymous;
		throw new ApiError("Unauthorized", "Unauthorized");
	}
	try {
		const { user } = await authenticateToken(server, token, server.tokens.audiences);
		return user.groups.includes("system:authenticated")
			? user
			: { ...user, groups: [...user.groups, "system:authenticated"] };
	} catch (error) {
		// The reason is for logs and reviews, not for the client.
		if (error instanceof TokenRefused) throw new ApiError("Unauthorized", "Unauthorized");
		throw error;
	}
}
