/** Authorizes a request; refusals have upstream's wording. */
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import type { AuditRecord } from "../audit/record.ts";
import { type Attributes, attributesOf, type Decision } from "../request/authorizer.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { Server } from "../server/server.ts";
import { anonymous } from "./authenticate.ts";

/**
 * @returns undefined if it is allowed and the decision was synchronous
 * @throws ApiError Unauthorized for anonymous users, Forbidden for others; or in the promise
 */
export function authorize(
	{ authorizer, options }: Pick<Server, "authorizer" | "options">,
	user: User,
	info: RequestInfo,
	audit: AuditRecord | undefined,
): Promise<void> | undefined {
	const attributes = attributesOf(user, info);
	const deciding = authorizer.authorize(attributes);
	if (deciding instanceof Promise) return deciding.then((decision) => enforce(decision, attributes, options, audit));
	enforce(deciding, attributes, options, audit);
	return undefined;
}

function enforce(
	{ verdict, reason }: Decision,
	attributes: Attributes,
	options: Server["options"],
	audit: AuditRecord | undefined,
): void {
	const { user } = attributes;
	if (audit !== undefined) {
		audit.annotate("authorization.k8s.io/decision", verdict === "allow" ? "allow" : "forbid");
		audit.annotate("authorization.k8s.io/reason", reason);
	}
	if (verdict === "allow") return;
	if (user === anonymous) throw new ApiError("Unauthorized", "Unauthorized");
	const error = forbidden(attributes, reason);
	options.onRefused?.(user, error.message);
	throw error;
}

/**
 * For permissions that a request needs besides its own: impersonation, escalation of roles, eviction.
 * @throws ApiError Forbidden
 */
export async function ensureAllowed(
	{ authorizer, options }: Pick<Server, "authorizer" | "options">,
	attributes: Attributes,
): Promise<void> {
	const { verdict, reason } = await authorizer.authorize(attributes);
	if (verdict === "allow") return;
	const error = forbidden(attributes, reason);
	options.onRefused?.(attributes.user, error.message);
	throw error;
}

/** `pods "web-0" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in the namespace "default"` */
export function forbidden(attributes: Attributes, reason: string): ApiError {
	const why = reason === "" ? wantedBy(attributes) : `${wantedBy(attributes)}: ${reason}`;
	const { resource } = attributes;
	if (resource === undefined) return new ApiError("Forbidden", `forbidden: ${why}`, {});
	const { group, plural, name = "" } = resource;
	const qualified = group === "" ? plural : `${plural}.${group}`;
	return new ApiError("Forbidden", `${qualified}${name === "" ? "" : ` "${name}"`} is forbidden: ${why}`, {
		...(name === "" ? {} : { name }),
		...(group === "" ? {} : { group }),
		kind: plural,
	});
}

function wantedBy({ user, verb, path, resource }: Attributes): string {
	const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
	if (resource === undefined) return `${who} path ${JSON.stringify(path)}`;
	const { group, plural, subresource = "", namespace = "" } = resource;
	const what = subresource === "" ? plural : `${plural}/${subresource}`;
	const place = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
	return `${who} resource "${what}" in API group "${group}" ${place}`;
}
