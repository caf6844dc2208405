/** `admission.k8s.io AdmissionReview`: what the answer of a webhook means. */
import { isRecord } from "../../../core/object.ts";
import type { AdmissionResponse } from "../../server/admission-review.ts";

/**
 * What a webhook elsewhere has answered.
 * @param version of the review that was sent
 * @throws Error, in upstream's words, when it is no answer to the request
 */
export function readResponse(body: Buffer, uid: string, version: string, isMutating: boolean): AdmissionResponse {
	let review: unknown;
	try {
		review = JSON.parse(body.toString());
	} catch {
		throw new Error("expected webhook response of admission.k8s.io, got an answer that is no JSON");
	}
	if (!isRecord(review) || !isRecord(review["response"])) throw new Error("webhook response was absent");
	const expected = `admission.k8s.io/${version}, Kind=AdmissionReview`;
	const found = `${review["apiVersion"] ?? ""}, Kind=${review["kind"] ?? ""}`;
	// The first version of the protocol does not ask for either.
	if (version === "v1" && found !== expected) throw new Error(`expected webhook response of ${expected}, got ${found}`);
	const { response } = review;
	if (version === "v1" && response["uid"] !== uid)
		throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response["uid"] ?? "")}`);
	const { allowed, status, patch, patchType, warnings, auditAnnotations } = response;
	return {
		allowed: allowed === true,
		...(isRecord(status) && { status }),
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
	let operations: unknown;
	try {
		operations = JSON.parse(Buffer.from(patch, "base64").toString());
	} catch {}
	if (!Array.isArray(operations)) throw new Error("received undecodable patch in webhook response");
	return operations;
}

function isTexts(value: unknown): value is string[] {
	return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function textsOf(map: Record<string, unknown>): Record<string, string> {
	return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]));
}
