/** serviceaccounts/token: a token for a while, perhaps bound to a pod (`authentication.k8s.io/v1 TokenRequest`). */
import { timestamp } from "../../core/clock.ts";
import { ApiError, conflict, invalid, notFound } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { nodes } from "../../kinds/node.ts";
import { pods } from "../../kinds/pod.ts";
import { secrets } from "../../kinds/secret.ts";
import type { Claims } from "../access/tokens.ts";
import { admitNodeToken } from "../admission/node-restriction/tokens.ts";
import { objectKey } from "../cache/keys.ts";
import { decodeUnstored } from "../decode.ts";
import { newUid } from "../metadata.ts";
import { objectResponse } from "../respond.ts";
import type { Context } from "../server.ts";
import { methodNotAllowed, named, type Target } from "../target.ts";
import { existing } from "../verbs/get.ts";

interface TokenRequest {
	metadata?: object;
	spec?: { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: BoundObject };
}

interface BoundObject {
	kind?: string;
	apiVersion?: string;
	name?: string;
	uid?: string;
}

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
	const { audiences = [], expirationSeconds = defaultSeconds, boundObjectRef } = request.spec ?? {};
	checkSeconds(expirationSeconds, wanted.name);
	await admitNodeToken(
		server,
		context.user,
		{ namespace: account.metadata.namespace ?? "", name: wanted.name },
		{
			audiences,
			...(boundObjectRef === undefined ? {} : { boundObjectRef }),
		},
	);
	const audience = audiences.length === 0 ? [server.tokens.issuer] : audiences;
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
			...bound(context, namespace, boundObjectRef),
			serviceaccount: { name: account.metadata.name, uid: account.metadata.uid },
		},
		nbf: nowSeconds,
		sub: `system:serviceaccount:${namespace}:${account.metadata.name}`,
	};
	return objectResponse(
		{
			kind: "TokenRequest",
			apiVersion: "authentication.k8s.io/v1",
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

function checkSeconds(seconds: number, name: string): void {
	const why =
		seconds < leastSeconds
			? "may not specify a duration less than 10 minutes"
			: seconds > mostSeconds
				? "may not specify a duration larger than 2^32 seconds"
				: undefined;
	if (why === undefined) return;
	throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, name, [
		{ reason: "FieldValueInvalid", message: `Invalid value: ${seconds}: ${why}`, field: "spec.expirationSeconds" },
	]);
}

type Binding = Pick<Claims["kubernetes.io"], "pod" | "node" | "secret">;

/** The object that the token dies with. */
function bound({ server }: Context, namespace: string, reference: BoundObject | undefined): Binding {
	if (reference?.kind === undefined) return {};
	const { name = "", uid } = reference;
	const kind = { Pod: pods, Secret: secrets, Node: nodes }[reference.kind];
	if (kind === undefined)
		throw new ApiError(
			"BadRequest",
			`cannot bind token for serviceaccount to object of type ${reference.apiVersion ?? ""}, Kind=${reference.kind}`,
		);
	const place = kind.namespaced ? namespace : undefined;
	const found = server.cache.resource(kind).get(objectKey(kind, place, name))?.object;
	if (found === undefined) throw notFound(kind, name);
	if (uid !== undefined && uid !== "" && uid !== found.metadata.uid) {
		const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
		throw conflict(kind, name, why);
	}
	const boundTo = { name, uid: found.metadata.uid };
	if (kind === secrets) return { secret: boundTo };
	if (kind === nodes) return { node: boundTo };
	// It was found among the pods.
	const nodeName = (found as Pod).spec.nodeName;
	if (nodeName === undefined || nodeName === "") return { pod: boundTo };
	const node = server.cache.resource(nodes).get(objectKey(nodes, undefined, nodeName))?.object;
	return { pod: boundTo, node: { name: nodeName, ...(node && { uid: node.metadata.uid }) } };
}
