/** `admission.k8s.io AdmissionReview`: what a webhook is asked, and what its answer means. */
import type { User } from "../../../core/exchange.ts";
import { deepCopy, isRecord, type KubeObject } from "../../../core/object.ts";
import { newUid } from "../../../core/uid.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import { apiVersionOf, type Kind, type KindNames, type ServedVersion } from "../../../kinds/engine/kind.ts";
import { scaleOf } from "../../resources/scale.ts";
import type {
	AdmissionRequest,
	AdmissionResponse,
	GroupVersionKind,
	GroupVersionResource,
} from "../../server/admission-review.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import type { Invocation } from "./matching.ts";

const operations = { create: "CREATE", update: "UPDATE", delete: "DELETE", connect: "CONNECT" } as const;

/** The question. Its objects are the webhook's own. */
export function admissionRequest(request: AdmissionAttributes, { served }: Invocation): AdmissionRequest {
	const { kind, subresource, operation, sent, name, namespace, user, dryRun, server, query } = request;
	const { object, oldObject } = objectsOf(request, served);
	const subject = object ?? oldObject;
	const place = kind.plural === namespaces.plural && kind.group === "" ? name : namespace;
	return {
		uid: newUid(server.clock),
		kind: kindOf(subject, served ?? kind, kind),
		resource: resourceOf(served ?? kind, kind),
		...(subresource !== undefined && { subResource: subresource }),
		requestKind: kindOf(subject, request.served ?? kind, kind),
		requestResource: resourceOf(request.served ?? kind, kind),
		...(subresource !== undefined && { requestSubResource: subresource }),
		...(name !== "" && { name }),
		...(place !== undefined && { namespace: place }),
		operation: sent === undefined ? operations[operation] : "CREATE",
		userInfo: userInfoOf(user),
		object,
		oldObject,
		dryRun,
		options: optionsOf(sent === undefined ? operation : "create", query, dryRun),
	};
}

function objectsOf(request: AdmissionAttributes, served: ServedVersion | undefined) {
	const { operation, object, old, sent, kind, subresource } = request;
	if (sent !== undefined) return { object: deepCopy(sent), oldObject: null };
	if (operation === "connect") {
		// Options have no metadata.
		const { metadata: _, ...options } = object;
		return { object: deepCopy(options) as KubeObject, oldObject: null };
	}
	const shown = (one: KubeObject) => (subresource === "scale" ? scaleOf(kind, one) : inVersion(kind, served, one));
	if (operation === "delete") return { object: null, oldObject: shown(object) };
	const copy = shown(object);
	// Until it is written, it has the version that it is to replace.
	if (old !== undefined) copy.metadata.resourceVersion ??= old.metadata.resourceVersion;
	return { object: copy, oldObject: old === undefined ? null : shown(old) };
}

/** A copy of an object of the stored version in another. */
export function inVersion(kind: Kind, served: ServedVersion | undefined, object: KubeObject): KubeObject {
	const copy = deepCopy(object);
	served?.fromStorage(copy);
	copy.apiVersion = apiVersionOf(served ?? kind);
	return copy;
}

function kindOf(
	subject: KubeObject | null,
	version: Pick<KindNames, "group" | "version">,
	{ kind }: Kind,
): GroupVersionKind {
	if (subject === null || subject.kind === kind) return { group: version.group, version: version.version, kind };
	// A subresource's object is of a kind of its own.
	const cut = subject.apiVersion.indexOf("/");
	return {
		group: cut < 0 ? "" : subject.apiVersion.slice(0, cut),
		version: subject.apiVersion.slice(cut + 1),
		kind: subject.kind,
	};
}

function resourceOf({ group, version }: Pick<KindNames, "group" | "version">, { plural }: Kind): GroupVersionResource {
	return { group, version, resource: plural };
}

function userInfoOf({ name, uid, groups, extra }: User): AdmissionRequest["userInfo"] {
	return {
		username: name,
		...(uid !== undefined && { uid }),
		...(groups.length > 0 && { groups }),
		...(extra !== undefined && { extra }),
	};
}

const optionsKinds = { create: "CreateOptions", update: "UpdateOptions", delete: "DeleteOptions" } as const;

function optionsOf(operation: AdmissionAttributes["operation"], query: URLSearchParams, dryRun: boolean) {
	if (operation === "connect") return null;
	const options: Record<string, unknown> = { kind: optionsKinds[operation], apiVersion: "meta.k8s.io/v1" };
	for (const field of ["fieldManager", "fieldValidation", "propagationPolicy"]) {
		const value = query.get(field);
		if (value !== null && value !== "") options[field] = value;
	}
	if (dryRun) options["dryRun"] = ["All"];
	return options;
}

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
