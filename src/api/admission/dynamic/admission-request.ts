/** The AdmissionRequest of a write, for webhooks and policies. */
import type { User } from "../../../core/exchange.ts";
import { deepCopy, type KubeObject } from "../../../core/object.ts";
import { newUid } from "../../../core/validation/uid.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import { apiVersionOf, type Kind, type KindNames, type ServedVersion } from "../../../kinds/engine/kind.ts";
import { scaleOf } from "../../resources/scale.ts";
import type { AdmissionRequest, GroupVersionKind, GroupVersionResource } from "../../server/admission-review.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import type { Invocation } from "./matching.ts";

const operations = { create: "CREATE", update: "UPDATE", delete: "DELETE", connect: "CONNECT" } as const;

/** The request that is sent to a webhook, which may change its objects. */
export function admissionRequest(request: AdmissionAttributes, invocation: Invocation): AdmissionRequest {
	const { object, oldObject } = objectsOf(request, invocation, true);
	return {
		uid: newUid(request.server.clock),
		...describedRequest(request, invocation),
		object,
		oldObject,
	};
}

/** A request without its objects. */
export type DescribedRequest = Omit<AdmissionRequest, "uid" | "object" | "oldObject">;

export function describedRequest(request: AdmissionAttributes, { served }: Invocation): DescribedRequest {
	const requested = request.served ?? request.requested ?? request.kind;
	const { kind, subresource, operation, sent, name, namespace, user, dryRun, query } = request;
	const place = kind.plural === namespaces.plural && kind.group === "" ? name : namespace;
	return {
		kind: kindOf(request, served ?? kind),
		resource: resourceOf(served ?? kind, kind),
		...(subresource !== undefined && { subResource: subresource }),
		requestKind: kindOf(request, requested),
		requestResource: resourceOf(requested, kind),
		...(subresource !== undefined && { requestSubResource: subresource }),
		...(name !== "" && { name }),
		...(place !== undefined && { namespace: place }),
		operation: sent === undefined ? operations[operation] : "CREATE",
		userInfo: userInfoOf(user),
		dryRun,
		options: optionsOf(sent === undefined ? operation : "create", query, dryRun),
	};
}

/** @param owned the objects may be changed; otherwise they are those of the request where those will do */
export function objectsOf(
	request: AdmissionAttributes,
	invocation: Invocation,
	owned: boolean,
): Pick<AdmissionRequest, "object" | "oldObject"> {
	const { operation, object, old, sent } = request;
	if (sent !== undefined) return { object: owned ? deepCopy(sent) : sent, oldObject: null };
	if (operation === "connect") {
		// Options have no metadata.
		const { metadata: _, ...options } = object;
		return { object: deepCopy(options) as KubeObject, oldObject: null };
	}
	const isStored = invocation.served === undefined && !isScale(request);
	const seen = (one: KubeObject) => (owned || !isStored ? seenAs(request, invocation, one) : one);
	if (operation === "delete") return { object: null, oldObject: seen(object) };
	const next = seen(object);
	// Until it is written, it has the resourceVersion of the object that it replaces.
	if (owned && old !== undefined) next.metadata.resourceVersion ??= old.metadata.resourceVersion;
	return { object: next, oldObject: old === undefined ? null : seen(old) };
}

/** A copy of the object in the version of the invocation; for a scale subresource, its Scale. */
export function seenAs(request: AdmissionAttributes, { served }: Invocation, object: KubeObject): KubeObject {
	return isScale(request) ? scaleOf(request.kind, object) : inVersion(request.kind, served, object);
}

/** The request is for the Scale of an object, not for the whole object. */
export function isScale({ subresource }: Pick<AdmissionAttributes, "subresource">): boolean {
	return subresource === "scale";
}

/** A copy of an object of the stored version in another. */
export function inVersion(kind: Kind, served: ServedVersion | undefined, object: KubeObject): KubeObject {
	const copy = deepCopy(object);
	served?.fromStorage(copy);
	copy.apiVersion = apiVersionOf(served ?? kind);
	return copy;
}

/** A subresource's object may be of a kind of its own. */
function kindOf(
	request: AdmissionAttributes,
	{ group, version }: Pick<KindNames, "group" | "version">,
): GroupVersionKind {
	const { kind, sent, object, operation } = request;
	if (isScale(request)) return { group: "autoscaling", version: "v1", kind: "Scale" };
	const subject = sent ?? (operation === "connect" ? object : undefined);
	if (subject === undefined) return { group, version, kind: kind.kind };
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
