/** Expected failures, in the form Kubernetes clients understand (API conventions, "Response Status Kind"). */
import { shortened } from "./shown.ts";

/** Reason → HTTP status code. A closed set: `metav1.StatusReason`. */
const statusCodes = {
	BadRequest: 400,
	Unauthorized: 401,
	Forbidden: 403,
	NotFound: 404,
	MethodNotAllowed: 405,
	NotAcceptable: 406,
	AlreadyExists: 409,
	Conflict: 409,
	Gone: 410,
	Expired: 410,
	RequestEntityTooLarge: 413,
	UnsupportedMediaType: 415,
	Invalid: 422,
	TooManyRequests: 429,
	InternalError: 500,
	ServiceUnavailable: 503,
	Timeout: 504,
	ServerTimeout: 500,
} as const;

export type Reason = keyof typeof statusCodes;

/** In characters. Messages quote what was sent, and go to clients, logs and Events. */
const longestMessage = 32_768;

/** One thing wrong with one field, `metav1.StatusCause`. */
export interface Cause {
	/**
	 * `FieldValueRequired`, `FieldValueInvalid`, `FieldValueNotSupported`, `FieldValueDuplicate`, `FieldValueForbidden`, …
	 */
	reason: string;
	message: string;
	/** Path of the field, such as `spec.template.spec.containers[0].name`. */
	field?: string;
}

export interface StatusDetails {
	name?: string;
	group?: string;
	/** The resource (plural) for most errors, the kind for Invalid, as upstream. */
	kind?: string;
	uid?: string;
	causes?: Cause[];
	retryAfterSeconds?: number;
}

/** `metav1.Status` */
export interface Status {
	kind: "Status";
	apiVersion: "v1";
	/** `continue`: the way to the rest of a list that can no longer be had as it was. */
	metadata: { continue?: string };
	status: "Success" | "Failure";
	message?: string;
	reason?: string;
	details?: StatusDetails;
	code: number;
}

/** The one error type for expected failures of API requests, on the server and in clients. */
export class ApiError extends Error {
	readonly reason: Reason;
	readonly details: StatusDetails | undefined;
	readonly metadata: Status["metadata"];

	constructor(reason: Reason, message: string, details?: StatusDetails, metadata: Status["metadata"] = {}) {
		super(shortened(message, longestMessage));
		this.name = "ApiError";
		this.reason = reason;
		this.details = details;
		this.metadata = metadata;
	}

	get code(): number {
		return statusCodes[this.reason];
	}

	toStatus(): Status {
		return {
			kind: "Status",
			apiVersion: "v1",
			metadata: this.metadata,
			status: "Failure",
			message: this.message,
			reason: this.reason,
			...(this.details === undefined ? {} : { details: this.details }),
			code: this.code,
		};
	}

	static fromStatus(status: Pick<Status, "reason" | "message" | "code" | "details">): ApiError {
		const reason =
			status.reason !== undefined && Object.hasOwn(statusCodes, status.reason) ? status.reason : reasonOf(status.code);
		// Membership in statusCodes was checked just above.
		return new ApiError(reason as Reason, status.message ?? reason, status.details);
	}
}

function reasonOf(code: number): Reason {
	for (const [reason, status] of Object.entries(statusCodes)) if (status === code) return reason as Reason;
	return "InternalError";
}

/** What an error says; of what was thrown and is no Error, its text. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The error itself; one that says so for what was thrown and is none. */
export function asError(error: unknown): Error {
	return error instanceof Error ? error : new Error(String(error));
}

export function isReason(error: unknown, ...reasons: Reason[]): error is ApiError {
	return error instanceof ApiError && reasons.includes(error.reason);
}

/** `pods "web-0" not found` */
export function notFound(resource: { group: string; plural: string }, wholeName: string): ApiError {
	const name = shortened(wholeName);
	return new ApiError("NotFound", `${qualified(resource)} "${name}" not found`, {
		name,
		...(resource.group === "" ? {} : { group: resource.group }),
		kind: resource.plural,
	});
}

export function alreadyExists(resource: { group: string; plural: string }, wholeName: string): ApiError {
	const name = shortened(wholeName);
	return new ApiError("AlreadyExists", `${qualified(resource)} "${name}" already exists`, {
		name,
		...(resource.group === "" ? {} : { group: resource.group }),
		kind: resource.plural,
	});
}

export function conflict(resource: { group: string; plural: string }, wholeName: string, why: string): ApiError {
	const name = shortened(wholeName);
	return new ApiError("Conflict", `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`, {
		name,
		...(resource.group === "" ? {} : { group: resource.group }),
		kind: resource.plural,
	});
}

/** Nobody reads more than this, and a large object can have a hundred thousand. */
const mostCauses = 100;

/** The first causes of many, and how many more there are. */
export function firstOf(all: readonly Cause[], reason: string): Cause[] {
	const causes = all.slice(0, mostCauses).map(withShortField);
	if (all.length > mostCauses) causes.push({ reason, message: `and ${all.length - mostCauses} more` });
	return causes;
}

function withShortField(cause: Cause): Cause {
	return cause.field === undefined ? cause : { ...cause, field: shortened(cause.field) };
}

/**
 * `Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be …`
 * @param all of many causes the first are listed, and how many more there are
 */
export function invalid(kind: { group: string; kind: string }, wholeName: string, all: readonly Cause[]): ApiError {
	const name = shortened(wholeName);
	const causes = firstOf(all, "FieldValueInvalid");
	const texts = causes.map((cause) => `${cause.field ?? "<nil>"}: ${cause.message}`);
	const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
	const qualifiedKind = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
	return new ApiError("Invalid", `${qualifiedKind} "${name}" is invalid: ${list}`, {
		name,
		...(kind.group === "" ? {} : { group: kind.group }),
		kind: kind.kind,
		causes,
	});
}

function qualified(resource: { group: string; plural: string }): string {
	return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}
