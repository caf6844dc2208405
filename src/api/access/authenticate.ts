/** Who asks. */
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, User } from "../../core/exchange.ts";
import type { Secret } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { nodes } from "../../kinds/node.ts";
import { pods } from "../../kinds/pod.ts";
import { secrets } from "../../kinds/secret.ts";
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

/** The service account of a token of ours, while the account, and what the token is bound to, are the ones that it was made for. */
export async function userOfToken({ tokens, cache }: Server, token: string): Promise<User | undefined> {
	const claims = tokens.verify(token);
	if (claims === undefined) return undefined;
	const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
	const isThere = (
		kind: Pick<Kind, "group" | "plural" | "namespaced">,
		bound: { name: string; uid?: string } | undefined,
	) =>
		bound === undefined ||
		cache.resource(kind).get(objectKey(kind, kind.namespaced ? namespace : undefined, bound.name))?.object.metadata
			.uid === bound.uid;
	// Of a pod's token the node only says where the pod is.
	const holds = isThere(pods, pod) && isThere(secrets, secret) && (pod !== undefined || isThere(nodes, node));
	if (!holds || !isThere(serviceAccounts, serviceaccount)) return undefined;
	// What has no end of its own ends when its Secret is given another.
	if (claims.exp === undefined && !isIn(cache, namespace, secret?.name ?? "", token)) return undefined;
	return serviceAccountUser(claims);
}

function isIn(cache: Server["cache"], namespace: string, name: string, token: string): boolean {
	const found = cache.resource(secrets).get(objectKey(secrets, namespace, name))?.object;
	// Nothing else is in this cache.
	return (found as Secret | undefined)?.data?.["token"] === Buffer.from(token).toString("base64");
}
