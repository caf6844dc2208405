/** The record of one stage of a request: an `Event` of audit.k8s.io/v1. */
import { isIP } from "node:net";
import type { StatusDetails } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import type { Attributes } from "../request/authorizer.ts";
import type { Level, Stage } from "./policy.ts";

export interface AuditUser {
	username: string;
	uid?: string;
	groups?: readonly string[];
	extra?: Readonly<Record<string, readonly string[]>>;
}

/** A field that has nothing to say is absent. */
export interface AuditEvent {
	kind: "Event";
	apiVersion: "audit.k8s.io/v1";
	level: Level;
	/** The same in all events of a request, and in the header Audit-ID of its answer. */
	auditID: string;
	stage: Stage;
	requestURI: string;
	verb: string;
	user: AuditUser;
	impersonatedUser?: AuditUser;
	sourceIPs?: readonly string[];
	userAgent?: string;
	objectRef?: ObjectReference;
	responseStatus?: ResponseStatus;
	/** From level Request on: what the client sent. */
	requestObject?: unknown;
	/** Level RequestResponse: what it was answered. */
	responseObject?: unknown;
	/** RFC 3339 with microseconds. */
	requestReceivedTimestamp: string;
	stageTimestamp: string;
	annotations?: Record<string, string>;
}

export interface ObjectReference {
	resource?: string;
	namespace?: string;
	name?: string;
	uid?: string;
	apiGroup?: string;
	apiVersion?: string;
	resourceVersion?: string;
	subresource?: string;
}

export interface ResponseStatus {
	metadata: Record<string, never>;
	status?: string;
	message?: string;
	reason?: string;
	details?: StatusDetails;
	code: number;
}

const userAgentLimit = 1024;
/** The maximum number of proxies that are listed, because clients can claim any number. */
const addressLimit = 16;

export function auditUser({ name, uid, groups, extra }: User): AuditUser {
	return {
		username: name,
		...(uid !== undefined && { uid }),
		...(groups.length > 0 && { groups }),
		...(extra !== undefined && Object.keys(extra).length > 0 && { extra }),
	};
}

export function requestUri({ path, query }: ApiRequest): string {
	return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * The proxies that the request names, then its sender. Clients in this process have the address of this machine.
 */
export function sourceIPs({ headers, peer }: ApiRequest): string[] {
	const forwarded = `${headers["x-forwarded-for"] ?? ""},${headers["x-real-ip"] ?? ""}`;
	const claimed = forwarded === "," ? [] : forwarded.split(",").map((text) => text.trim());
	const all = claimed.filter((text) => isIP(text) !== 0).slice(0, addressLimit);
	return [...new Set([...all, peer?.remoteAddress ?? "127.0.0.1"])];
}

export function userAgentOf({ headers }: ApiRequest): string | undefined {
	const text = headers["user-agent"];
	return text === undefined || text.length <= userAgentLimit ? text : `${text.slice(0, userAgentLimit)}...TRUNCATED`;
}

export function objectReference({ resource }: Attributes): ObjectReference | undefined {
	if (resource === undefined) return undefined;
	const { plural, namespace, name, group, version, subresource } = resource;
	return {
		resource: plural,
		...(namespace && { namespace }),
		...(name && { name }),
		...(group && { apiGroup: group }),
		apiVersion: version,
		...(subresource && { subresource }),
	};
}

/** Adds what the path does not contain. @param object of the request or the response */
export function completeReference(
	reference: ObjectReference,
	object: unknown,
	fields: readonly (keyof ObjectReference)[],
): void {
	const { metadata } = (object ?? {}) as { metadata?: Record<string, unknown> };
	for (const field of fields) {
		const value = metadata?.[field];
		if (typeof value === "string" && value !== "") reference[field] ??= value;
	}
}

/** Only the code, unless the response is a Status, as for refusals and deletions. */
export function responseStatus(response: ApiResponse, verb: string): ResponseStatus {
	const { status: code } = response;
	const mayBeStatus = response.type === "object" && (code >= 400 || verb.startsWith("delete"));
	// Some responses create their object on demand; only a Status is read.
	const object = mayBeStatus ? (response.object as Record<string, unknown> | undefined) : undefined;
	if (object?.["kind"] !== "Status") return { metadata: {}, code };
	// This server made the Status.
	const { status, message, reason, details } = object as unknown as ResponseStatus;
	return {
		metadata: {},
		...(status !== undefined && { status }),
		...(message !== undefined && { message }),
		...(reason !== undefined && { reason }),
		...(details !== undefined && { details }),
		code,
	};
}
