/** Responses of webhooks (`admission.k8s.io AdmissionReview`). */
import type { Cause, StatusDetails } from "../../../core/errors.ts";
import { isRecord } from "../../../core/object.ts";
import { checkJsonBytes } from "../../../core/text/json-limits.ts";
import type { AdmissionResponse } from "../../server/admission-review.ts";

/**
 * Reads the response of an HTTP webhook.
 * @param version of the review that was sent
 * @throws Error, with upstream's message, if it is no response to the request
 */
export function readResponse(body: Buffer, uid: string, version: string, isMutating: boolean): AdmissionResponse {
	checkJsonBytes(body);
	let review: unknown;
	try {
		review = JSON.parse(body.toString());
	} catch {
		throw new Error("expected webhook response of admission.k8s.io, got an answer that is no JSON");
	}
	if (!isRecord(review) || !isRecord(review["response"])) throw new Error("webhook response was absent");
	const expected = `admission.k8s.io/${version}, Kind=AdmissionReview`;
	const found = `${review["apiVersion"] ?? ""}, Kind=${review["kind"] ?? ""}`;
	// The first version of the protocol requires neither.
	if (version === "v1" && found !== expected) throw new Error(`expected webhook response of ${expected}, got ${found}`);
	const { response } = review;
	if (version === "v1" && response["uid"] !== uid)
		throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`);
	const { allowed, status, patch, patchType, warnings, auditAnnotations } = response;
	return {
		allowed: allowed === true,
		...(isRecord(status) && { status: readStatus(status) }),
		...(isMutating && hasPatch(patch, patchType, version) && { patch: readPatch(patch) }),
		...(isTexts(warnings) && { warnings }),
		...(isRecord(auditAnnotations) && { auditAnnotations: textsOf(auditAnnotations) }),
	};
}

function hasPatch(patch: unknown, patchType: unknown, version: string): patch is string {
	const isEmpty = patch === undefined || patch === null || patch === "";
	if (version !== "v1") return !isEmpty;
	const type = patchType ?? "";
	if (isEmpty && type !== "") throw new Error("webhook returned response.patchType but not response.patch");
	if (!isEmpty && type === "") throw new Error("webhook returned response.patch but not response.patchType");
	if (type !== "" && type !== "JSONPatch")
		throw new Error(`webhook returned invalid response.patchType of ${JSON.stringify(type)}`);
	return !isEmpty;
}

/** @param patch JSON in base64, as Go writes bytes */
function readPatch(patch: string): unknown[] {
	const bytes = Buffer.from(patch, "base64");
	checkJsonBytes(bytes);
	let operations: unknown;
	try {
		operations = JSON.parse(bytes.toString());
	} catch {}
	if (!Array.isArray(operations)) throw new Error("received undecodable patch in webhook response");
	return operations;
}

/** @throws Error when a field is of another type than in `metav1.Status`: the status goes to clients as it is */
function readStatus(status: Record<string, unknown>): NonNullable<AdmissionResponse["status"]> {
	const { details } = status;
	return {
		...typed(status, "status", { message: "string", reason: "string", code: "int32" }),
		...(isRecord(details) && { details: readDetails(details) }),
	};
}

function readDetails(details: Record<string, unknown>): StatusDetails {
	const { causes } = details;
	const types = { name: "string", group: "string", kind: "string", uid: "string", retryAfterSeconds: "int32" } as const;
	return {
		...typed(details, "status.details", types),
		...(Array.isArray(causes) && { causes: causes.map(readCause) }),
	};
}

function readCause(value: unknown): Cause {
	const types = { reason: "string", message: "string", field: "string" } as const;
	return { reason: "", message: "", ...typed(isRecord(value) ? value : {}, "status.details.causes", types) };
}

interface FieldTypes {
	string: string;
	int32: number;
}

/** The fields that have a value. @param path of the record in the response @throws Error for a value of another type */
function typed<T extends Record<string, keyof FieldTypes>>(
	record: Record<string, unknown>,
	path: string,
	types: T,
): { [Name in keyof T]?: FieldTypes[T[Name]] } {
	const found: Record<string, unknown> = {};
	for (const [name, type] of Object.entries(types)) {
		const value = record[name];
		if (value === undefined || value === null) continue;
		const fits = type === "string" ? typeof value === "string" : value === (Number(value) | 0);
		if (!fits) throw new Error(`json: cannot unmarshal response.${path}.${name} into a value of type ${type}`);
		found[name] = value;
	}
	// Every value was compared with its type above.
	return found as { [Name in keyof T]?: FieldTypes[T[Name]] };
}

function isTexts(value: unknown): value is string[] {
	return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function textsOf(map: Record<string, unknown>): Record<string, string> {
	return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]));
}
