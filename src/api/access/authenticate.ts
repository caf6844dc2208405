/** Who asks. */
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, User } from "../../core/exchange.ts";
import { serviceAccounts } from "../../kinds/serviceaccount.ts";
import { objectKey } from "../cache/keys.ts";
import type { Server } from "../server.ts";
import { actingUser } from "./impersonate.ts";
import { serviceAccountUser } from "./tokens.ts";

export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** @throws ApiError Unauthorized when a token is presented that nobody knows, Forbidden for acting as somebody else */
export async function authenticate(server: Server, request: ApiRequest): Promise<User> {
	return actingUser(request.user ?? (await byToken(server, request)), request.headers);
}

/** How a browser shows its token when it opens a WebSocket: as a subprotocol, besides the one it wants. */
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\.(.+)$/;

/** The subprotocols of a header, without those that are tokens. */
export function withoutToken(protocols: string): string {
	const list = protocols.split(",").map((protocol) => protocol.trim());
	return list.filter((protocol) => !tokenProtocol.test(protocol)).join(", ");
}

function tokenOf({ headers }: ApiRequest): string | undefined {
	const { authorization } = headers;
	if (authorization !== undefined) return /^bearer\s+(\S+)$/i.exec(authorization)?.[1];
	for (const protocol of headers["sec-websocket-protocol"]?.split(",") ?? []) {
		const encoded = tokenProtocol.exec(protocol.trim())?.[1];
		if (encoded !== undefined) return Buffer.from(encoded, "base64url").toString();
	}
	return undefined;
}

async function byToken(server: Server, request: ApiRequest): Promise<User> {
	const token = tokenOf(request);
	if (token === undefined) return anonymous;
	const user = (await userOfToken(server, token)) ?? (await server.options.authenticateToken?.(token));
	if (user === undefined) throw new ApiError("Unauthorized", "Unauthorized");
	return user.groups.includes("system:authenticated")
		? user
		: { ...user, groups: [...user.groups, "system:authenticated"] };
}

/** The service account of a token of ours, while the account is the one the token was made for. */
export async function userOfToken({ tokens, cache }: Server, token: string): Promise<User | undefined> {
	const claims = tokens.verify(token);
	if (claims === undefined) return undefined;
	const { namespace, serviceaccount } = claims["kubernetes.io"];
	const account = cache.resource(serviceAccounts).get(objectKey(serviceAccounts, namespace, serviceaccount.name));
	return account?.object.metadata.uid === serviceaccount.uid ? serviceAccountUser(claims) : undefined;
}
