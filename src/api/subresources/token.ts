/** serviceaccounts/token: a token that expires, optionally bound to a pod (`authentication.k8s.io/v1 TokenRequest`). */

import { ApiError, conflict, invalid, notFound } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { type KubeObject, lookup, parseApiVersion } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { newUid } from "../../core/validation/uid.ts";
import { nodes } from "../../kinds/core/node.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { Claims } from "../credentials/tokens.ts";
import { admitOnly } from "../mutate/settle.ts";
import { writeOf } from "../mutate/write.ts";
import { decodeUnstored } from "../resources/decode.ts";
import { existing, methodNotAllowed, named, type Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { objectResponse } from "../wire/respond.ts";

interface TokenRequest {
	metadata?: { name?: string; namespace?: string; uid?: string };
	spec?: { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: BoundObject };
}

interface BoundObject {
	kind?: string;
	apiVersion?: string;
	name?: string;
	uid?: string;
}

const tokenRequest = { kind: "TokenRequest", apiVersion: "authentication.k8s.io/v1" };
const defaultSeconds = 3600;
const leastSeconds = 600;
const mostSeconds = 2 ** 32;

export async function token(context: Context, target: Target): Promise<ApiResponse> {
	if (context.info.verb !== "create") throw methodNotAllowed();
	const { server } = context;
	const wanted = named(target);
	await server.cache.fresh();
	const account = existing(wanted).object;
	// The type that the body was decoded as.
	const request = decodeUnstored(context, "AuthenticationTokenRequest", "TokenRequest") as TokenRequest;
	checkMetadata(request.metadata ?? {}, account.metadata);
	const { audiences = [], expirationSeconds = defaultSeconds, boundObjectRef } = request.spec ?? {};
	checkSeconds(expirationSeconds);
	// Decoded as one, with what it leaves out.
	const sent = { ...request, ...tokenRequest, metadata: { ...request.metadata } } as KubeObject;
	await admitOnly(writeOf(context, target, { operation: "create", object: account, old: account, sent }));
	const audience = audiences.length === 0 ? [...server.tokens.audiences] : audiences;
	const nowSeconds = Math.floor(server.clock.now() / 1000);
	const expires = nowSeconds + expirationSeconds;
	const namespace = account.metadata.namespace ?? "";
	const claims: Claims = {
		aud: audience,
		exp: expires,
		iat: nowSeconds,
		iss: server.tokens.issuer,
		jti: newUid(server.clock),
		"kubernetes.io": {
			namespace,
			...bound(context, account, boundObjectRef),
			serviceaccount: { name: account.metadata.name, uid: account.metadata.uid },
		},
		nbf: nowSeconds,
		sub: `system:serviceaccount:${namespace}:${account.metadata.name}`,
	};
	return objectResponse(
		{
			...tokenRequest,
			metadata: {
				name: account.metadata.name,
				namespace,
				creationTimestamp: timestamp(server.clock.now()),
			},
			spec: { audiences: audience, expirationSeconds, boundObjectRef: boundObjectRef ?? null },
			status: { token: server.tokens.sign(claims), expirationTimestamp: timestamp(expires * 1000) },
		},
		201,
	);
}

const reviewed = { group: "authentication.k8s.io", kind: "TokenRequest" };

/** The body's metadata must match the account. */
function checkMetadata(
	said: NonNullable<TokenRequest["metadata"]>,
	{ name, namespace, uid }: KubeObject["metadata"],
): void {
	const must = "must match the service account";
	if (said.name && said.name !== name)
		throw invalid(reviewed, name, [invalidValue("metadata.name", said.name, `${must} name if specified`)]);
	if (said.namespace && said.namespace !== namespace)
		throw invalid(reviewed, name, [
			invalidValue("metadata.namespace", said.namespace, `${must} namespace if specified`),
		]);
	if (said.uid && said.uid !== uid) {
		const why = `the UID in the token request (${said.uid}) does not match the UID of the service account (${uid})`;
		throw conflict({ group: reviewed.group, plural: reviewed.kind }, name, why);
	}
}

function checkSeconds(seconds: number): void {
	const why =
		seconds < leastSeconds
			? "may not specify a duration less than 10 minutes"
			: seconds > mostSeconds
				? "may not specify a duration larger than 2^32 seconds"
				: undefined;
	if (why !== undefined) throw invalid(reviewed, "", [invalidValue("spec.expirationSeconds", seconds, why)]);
}

type Binding = Pick<Claims["kubernetes.io"], "pod" | "node" | "secret">;

const boundKinds: Readonly<Record<string, Kind>> = lookup({ Pod: pods, Secret: secrets, Node: nodes });

/** The object that the token is bound to. */
function bound({ server }: Context, account: KubeObject, reference: BoundObject | undefined): Binding {
	if (reference === undefined) return {};
	const { apiVersion = "", kind: kindName = "", name = "", uid } = reference;
	const { group, version } = parseApiVersion(apiVersion);
	const kind = group === "" && Object.hasOwn(boundKinds, kindName) ? boundKinds[kindName] : undefined;
	if (kind === undefined)
		throw new ApiError("BadRequest", `cannot bind token to object of type ${group}/${version}, Kind=${kindName}`);
	const { name: accountName, namespace } = account.metadata;
	const found = server.cache.find(kind, kind.namespaced ? namespace : undefined, name);
	if (found === undefined) throw notFound(kind, name);
	// It was found among the objects of its kind.
	const pod = kind === pods ? (found as Pod) : undefined;
	if (pod !== undefined && pod.spec.serviceAccountName !== accountName)
		throw new ApiError(
			"BadRequest",
			`cannot bind token for serviceaccount ${JSON.stringify(accountName)} to pod running with different serviceaccount name.`,
		);
	if (uid !== undefined && uid !== "" && uid !== found.metadata.uid) {
		const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
		throw conflict({ group: "", plural: kindName }, name, why);
	}
	const boundTo = { name, uid: found.metadata.uid };
	if (pod === undefined) return kind === secrets ? { secret: boundTo } : { node: boundTo };
	const { nodeName } = pod.spec;
	if (nodeName === undefined || nodeName === "") return { pod: boundTo };
	const node = server.cache.find(nodes, undefined, nodeName);
	return { pod: boundTo, node: { name: nodeName, ...(node && { uid: node.metadata.uid }) } };
}
