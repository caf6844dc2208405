/** Reviews, which are answered and not stored: SelfSubjectReview, TokenReview, access reviews. */

import { ApiError, type Cause, invalid } from "../../core/errors.ts";
import type { ApiResponse, User } from "../../core/exchange.ts";
import { parseApiVersion } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { authenticateToken, TokenRefused } from "../credentials/token-authenticator.ts";
import type { Attributes } from "../request/authorizer.ts";
import type { ResourceInfo } from "../request/request-info.ts";
import { decodeUnstored } from "../resources/decode.ts";
import { methodNotAllowed } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { offers } from "../wire/negotiate.ts";
import { objectResponse } from "../wire/respond.ts";

type Review = (context: Context, spec: Record<string, unknown>) => object | Promise<object>;

const reviews: Readonly<Record<string, { kind: string; status: Review }>> = {
	"authentication.k8s.io/v1/selfsubjectreviews": {
		kind: "SelfSubjectReview",
		status: ({ user }) => ({ userInfo: userInfo(user) }),
	},
	"authentication.k8s.io/v1/tokenreviews": { kind: "TokenReview", status: reviewToken },
	"authorization.k8s.io/v1/selfsubjectaccessreviews": {
		kind: "SelfSubjectAccessReview",
		status: (context, spec) => accessOf(context, context.user, spec),
	},
	"authorization.k8s.io/v1/subjectaccessreviews": { kind: "SubjectAccessReview", status: subjectAccess },
	"authorization.k8s.io/v1/localsubjectaccessreviews": { kind: "LocalSubjectAccessReview", status: localAccess },
	"authorization.k8s.io/v1/selfsubjectrulesreviews": {
		kind: "SelfSubjectRulesReview",
		status: ({ server, user }, { namespace }) => {
			if (!namespace) throw new ApiError("BadRequest", "no namespace on request");
			return server.authorizer.rulesFor(user, String(namespace));
		},
	},
};

/** Undefined when the request is no review. */
export function serveReview(context: Context, resource: ResourceInfo): Promise<ApiResponse> | undefined {
	const { group, version, plural } = resource;
	const review = reviews[`${group}/${version}/${plural}`];
	if (review === undefined) return undefined;
	return answer(context, review, `${group}/${version}`);
}

async function answer(
	context: Context,
	{ kind, status }: { kind: string; status: Review },
	apiVersion: string,
): Promise<ApiResponse> {
	if (context.info.verb !== "create") throw methodNotAllowed();
	// Responses have no other view, such as a table.
	offers.plain.format(context.request.headers["accept"]);
	// Some have no spec; the fields of those that have one are of the type that the body was decoded as.
	const body = decodeUnstored(context, kind, kind) as { spec?: Record<string, unknown> };
	const spec = body.spec ?? {};
	const { group } = parseApiVersion(apiVersion);
	const causes = group === "authorization.k8s.io" ? accessProblems(kind, spec) : [];
	if (causes.length > 0) throw invalid({ group, kind }, "", causes);
	const metadata = { creationTimestamp: timestamp(context.server.clock.now()) };
	const answered = await status(context, spec);
	const asked = body.spec === undefined ? {} : { spec };
	return objectResponse({ kind, apiVersion, metadata, ...asked, status: answered }, 201);
}

/** An access review names either a resource or a path, and a user. */
function accessProblems(kind: string, spec: Record<string, unknown>): Cause[] {
	if (kind === "SelfSubjectRulesReview") return [];
	const { resourceAttributes, nonResourceAttributes, user, groups } = spec;
	const causes: Cause[] = [];
	if (resourceAttributes && nonResourceAttributes)
		causes.push(
			invalidValue(
				"spec.nonResourceAttributes",
				nonResourceAttributes,
				"cannot be specified in combination with resourceAttributes",
			),
		);
	if (!resourceAttributes && !nonResourceAttributes)
		causes.push(
			invalidValue(
				"spec.resourceAttributes",
				null,
				"exactly one of nonResourceAttributes or resourceAttributes must be specified",
			),
		);
	if (kind !== "SelfSubjectAccessReview" && !user && !(Array.isArray(groups) && groups.length > 0))
		causes.push(invalidValue("spec.user", user ?? "", "at least one of user or group must be specified"));
	return causes;
}

async function reviewToken({ server }: Context, spec: Record<string, unknown>): Promise<object> {
	const token = typeof spec["token"] === "string" ? spec["token"] : "";
	if (token === "") throw new ApiError("BadRequest", "token is required for TokenReview in authentication");
	const asked = Array.isArray(spec["audiences"]) ? spec["audiences"].map(String) : [];
	try {
		const found = await authenticateToken(server, token, asked.length > 0 ? asked : server.tokens.audiences);
		return { authenticated: true, user: userInfo(found.user), audiences: found.audiences };
	} catch (error) {
		if (error instanceof TokenRefused) return { user: {}, error: error.message };
		throw error;
	}
}

function subjectAccess(context: Context, spec: Record<string, unknown>): Promise<object> {
	// Decoding made sure of their types.
	const { user = "", groups = [], uid, extra } = spec as Partial<User> & { user?: string };
	const asked: User = { name: user, groups, ...(uid && { uid }), ...(extra && { extra }) };
	return accessOf(context, asked, spec);
}

/** A review for the namespace in the path. */
function localAccess(context: Context, spec: Record<string, unknown>): Promise<object> {
	const { namespace = "" } = context.info.resource ?? {};
	// Decoding made sure of its type.
	const about = spec["resourceAttributes"] as { namespace?: string } | undefined;
	const causes: Cause[] = [];
	if (about !== undefined && (about.namespace ?? "") !== namespace)
		causes.push(
			invalidValue("spec.resourceAttributes.namespace", about.namespace ?? "", "must match metadata.namespace"),
		);
	const other = spec["nonResourceAttributes"];
	if (other !== undefined)
		causes.push(invalidValue("spec.nonResourceAttributes", other, "disallowed on this kind of request"));
	const kind = { group: "authorization.k8s.io", kind: "LocalSubjectAccessReview" };
	if (causes.length > 0) throw invalid(kind, "", causes);
	return subjectAccess(context, spec);
}

async function accessOf({ server }: Context, user: User, spec: Record<string, unknown>): Promise<object> {
	const { verdict, reason } = await server.authorizer.authorize(askedAttributes(user, spec));
	return {
		allowed: verdict === "allow",
		...(verdict === "deny" ? { denied: true } : {}),
		...(reason === "" ? {} : { reason }),
	};
}

function askedAttributes(user: User, spec: Record<string, unknown>): Attributes {
	// Each of its fields is text or absent, save for the selectors.
	const about = spec["resourceAttributes"] as AskedResource | undefined;
	if (about === undefined) {
		const { verb = "", path = "" } = (spec["nonResourceAttributes"] ?? {}) as Partial<Record<string, string>>;
		return { user, verb, path };
	}
	const { verb = "", group = "", version = "*", resource = "", namespace = "", name = "", subresource = "" } = about;
	const selectors = {
		...(about.fieldSelector && { fieldSelector: selectorText(about.fieldSelector) }),
		...(about.labelSelector && { labelSelector: selectorText(about.labelSelector) }),
	};
	return {
		user,
		verb,
		path: "",
		resource: { group, version, plural: resource, subresource, namespace, name, ...selectors },
	};
}

interface AskedResource extends Partial<Record<"verb" | "group" | "version" | "resource", string>> {
	namespace?: string;
	name?: string;
	subresource?: string;
	fieldSelector?: AskedSelector;
	labelSelector?: AskedSelector;
}

interface AskedSelector {
	rawSelector?: string;
	requirements?: { key?: string; operator?: string; values?: string[] }[];
}

/**
 * In the syntax of a query. Unsupported requirements are omitted, which asks for more, so that access is denied sooner.
 */
function selectorText({ rawSelector, requirements = [] }: AskedSelector): string {
	if (rawSelector) return rawSelector;
	return requirements
		.flatMap(({ key = "", operator, values = [] }) => {
			if (operator === "Exists") return [key];
			if (operator === "DoesNotExist") return [`!${key}`];
			if (values.length === 1) return [`${key}${operator === "In" ? "=" : "!="}${values[0]}`];
			return values.length === 0 ? [] : [`${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`];
		})
		.join(",");
}

function userInfo({ name, uid, groups, extra }: User): object {
	return {
		username: name,
		...(uid === undefined ? {} : { uid }),
		groups,
		...(extra === undefined ? {} : { extra }),
	};
}
