/** The labels of requests in metrics, as upstream. Pure. */
import type { ApiRequest } from "../../core/exchange.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import { subresourcesOf, usageResources, virtualResources } from "../discovery/announced-resources.ts";
import type { RequestInfo } from "../request/request-info.ts";

export interface RequestLabels {
	/** `GET`, `LIST`, `WATCH`, `POST`, `APPLY`, … */
	verb: string;
	/** `All`, or empty. */
	dryRun: string;
	group: string;
	version: string;
	resource: string;
	subresource: string;
	/** `resource`: one object; `namespace`; `cluster`; empty for what is no resource. */
	scope: string;
}

const verbs: Readonly<Record<RequestInfo["verb"], string>> = {
	get: "GET",
	list: "LIST",
	watch: "WATCH",
	create: "POST",
	update: "PUT",
	patch: "PATCH",
	delete: "DELETE",
	deletecollection: "DELETECOLLECTION",
	other: "",
};
/** Subresources that are forwarded to nodes. */
const connecting = new Set(["proxy", "exec", "attach", "portforward", "log"]);
/** Paths that are no resources, by their beginning; upstream has them as subresources. */
const paths = new Set(["/healthz", "/livez", "/readyz", "/version", "/metrics", "/openapi", "/api", "/apis"]);

export function requestLabels(request: ApiRequest, info: RequestInfo | undefined): RequestLabels {
	const { method } = request;
	if (info?.resource === undefined) return pathLabels(method, info?.path ?? "");
	const { group, version, plural, namespace, name, subresource = "" } = info.resource;
	let verb = verbs[info.verb];
	if (connecting.has(subresource)) verb = "CONNECT";
	else if (verb === "PATCH" && isApply(request.headers)) verb = "APPLY";
	return {
		verb,
		dryRun: method !== "GET" && request.query.size > 0 && request.query.get("dryRun") === "All" ? "All" : "",
		group,
		version,
		resource: plural,
		subresource,
		scope:
			name !== undefined || info.verb === "create" ? "resource" : namespace !== undefined ? "namespace" : "cluster",
	};
}

/** What requests with the same labels have in common, in a form that takes little to make. */
export function requestKey({ method, query, headers }: ApiRequest, info: RequestInfo | undefined): string {
	if (info?.resource === undefined) return keyOfPath(method, info?.path ?? "");
	const { group, version, plural, namespace, name, subresource = "" } = info.resource;
	const scope = name !== undefined ? "r" : namespace !== undefined ? "n" : "c";
	const dry = method !== "GET" && query.size > 0 && query.get("dryRun") === "All" ? "d" : "";
	const apply = method === "PATCH" && isApply(headers) ? "a" : "";
	return `${info.verb}${scope}${dry}${apply}/${group}/${version}/${plural}/${subresource}`;
}

function keyOfPath(method: string, path: string): string {
	return `${method} ${firstOf(path)}`;
}

/** Of the paths that have a label; empty for others. */
function firstOf(path: string): string {
	const end = path.indexOf("/", 1);
	const first = end < 0 ? path : path.slice(0, end);
	return paths.has(first) ? first : "";
}

export function pathLabels(verb: string, path: string): RequestLabels {
	const subresource = firstOf(path);
	return { verb, dryRun: "", group: "", version: "", resource: "", subresource, scope: "" };
}

function isApply(headers: ApiRequest["headers"]): boolean {
	return headers["content-type"]?.startsWith("application/apply-patch") === true;
}

/** Whether there is such a resource: what else clients ask for would be series without end. */
export function isServed(kinds: Registry, { group, version, resource, subresource }: RequestLabels): boolean {
	const found = kinds.resource(group, version, resource);
	if (found !== undefined)
		return subresource === "" || subresourcesOf(found.kind).some(({ name }) => name === subresource);
	return (
		subresource === "" &&
		[...virtualResources, ...usageResources].some(
			(one) => one.group === group && one.version === version && one.plural === resource,
		)
	);
}
