/** Parses the method, path and query of a request (API concepts, "Resource URIs", "API verbs"). */
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest } from "../../core/exchange.ts";
import { isTrue } from "../../core/selection/query.ts";
import { shortened } from "../../core/shown.ts";

export type Verb =
	| "get"
	| "list"
	| "watch"
	| "create"
	| "update"
	| "patch"
	| "delete"
	| "deletecollection"
	/** Of a path that is no resource, and of methods that mean nothing for resources. */
	| "other";

export interface RequestInfo {
	verb: Verb;
	/** In lower case: the verb of a path that is no resource. */
	method: string;
	path: string;
	/** Undefined for a path that is no resource, such as `/version`. */
	resource?: ResourceInfo;
}

export interface ResourceInfo {
	group: string;
	version: string;
	/** Undefined: cluster-scoped, or all namespaces. */
	namespace?: string;
	plural: string;
	name?: string;
	subresource?: string;
	/** What follows a subresource: the path to be proxied. Begins with a slash, or is empty. */
	rest: string;
	/** How lists, watches and deletions of many restrict themselves, as the query says it. */
	fieldSelector?: string;
	labelSelector?: string;
}

const verbs: Readonly<Record<ApiRequest["method"], Verb>> = {
	GET: "get",
	HEAD: "get",
	POST: "create",
	PUT: "update",
	PATCH: "patch",
	DELETE: "delete",
	OPTIONS: "other",
};

/** Whether a request's method is one that the API knows. */
export function isMethod(method: string): method is ApiRequest["method"] {
	return Object.hasOwn(verbs, method);
}

const methods: Readonly<Record<ApiRequest["method"], string>> = {
	GET: "get",
	HEAD: "head",
	POST: "post",
	PUT: "put",
	PATCH: "patch",
	DELETE: "delete",
	OPTIONS: "options",
};

/** Namespaces have subresources; everything else below a namespace's name is a resource in it. */
const namespaceSubresources = new Set(["status", "finalize"]);

/** @throws ApiError BadRequest for a path that is not well encoded */
export function parseRequestInfo(request: Pick<ApiRequest, "method" | "path" | "query">): RequestInfo {
	const { method, path, query } = request;
	const parts = path.split("/");
	// The path begins with a slash, so parts[0] is empty.
	let at: number;
	let group = "";
	if (parts[1] === "api") at = 2;
	else if (parts[1] === "apis") {
		group = parts[2] ?? "";
		at = 3;
	} else return { verb: "other", method: methods[method], path };
	const version = parts[at++] ?? "";
	// `/apis/apps/v1` and above are discovery; one trailing slash changes nothing.
	const endsWithSlash = parts.at(-1) === "" && parts.length > 2;
	if (endsWithSlash) parts.pop();
	if (parts.length <= at) return { verb: "other", method: methods[method], path };

	let watchPath = false;
	if (parts[at] === "watch" && parts.length > at + 1) {
		watchPath = true;
		at++;
	}
	const resource: ResourceInfo = { group, version, plural: "", rest: "" };
	const third = parts[at + 2];
	if (parts[at] === "namespaces" && third !== undefined && !(group === "" && namespaceSubresources.has(third))) {
		resource.namespace = decoded(parts[at + 1]);
		at += 2;
	}
	resource.plural = decoded(parts[at]);
	if (parts[at + 1] !== undefined) resource.name = decoded(parts[at + 1]);
	if (parts[at + 2] !== undefined) resource.subresource = decoded(parts[at + 2]);
	if (parts.length > at + 3) resource.rest = wellEscaped(`/${parts.slice(at + 3).join("/")}`);
	if (endsWithSlash && resource.subresource === "proxy") resource.rest += "/";
	const verb = verbOf(verbs[method], resource, query, watchPath);
	if (verb === "list" || verb === "watch" || verb === "deletecollection") {
		const [fields, labels] = [query.get("fieldSelector"), query.get("labelSelector")];
		if (fields !== null) resource.fieldSelector = fields;
		if (labels !== null) resource.labelSelector = labels;
	}
	return { verb, method: methods[method], path, resource };
}

function verbOf(verb: Verb, resource: ResourceInfo, query: URLSearchParams, watchPath: boolean): Verb {
	if (resource.subresource !== undefined) return verb;
	if (verb === "get" && (watchPath || isTrue(query.get("watch")))) return "watch";
	if (resource.name !== undefined) return verb;
	if (verb === "get") return "list";
	return verb === "delete" ? "deletecollection" : verb;
}

/** A path that is passed on as it is. Its bytes may be of any encoding, so it cannot be decoded. */
function wellEscaped(path: string): string {
	if (/%(?![\da-f]{2})/i.test(path)) throw new ApiError("BadRequest", `invalid URL escape in "${shortened(path)}"`);
	return path;
}

function decoded(part: string | undefined): string {
	if (part?.includes("%") !== true) return part ?? "";
	try {
		return decodeURIComponent(part);
	} catch {
		throw new ApiError("BadRequest", `invalid URL escape in "${shortened(part)}"`);
	}
}
