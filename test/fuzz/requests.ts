/** Requests as clients make them, and as nobody should: paths, queries, headers, bodies, users. */
import { stringify } from "yaml";
import type { ApiRequest, User } from "../../src/core/exchange.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { apiVersionOf, type Kind } from "../../src/kinds/engine/kind.ts";
import type { Chance } from "./chance.ts";
import { mutate, name, objectOf } from "./objects.ts";
import { damaged, protobufOf } from "./protobuf.ts";
import { anything, text } from "./values.ts";

export interface FuzzedRequest {
	method: string;
	path: string;
	/** Without the question mark. */
	query: string;
	headers: Record<string, string>;
	body: Buffer | undefined;
	user: User | undefined;
}

export const admin: User = { name: "admin", groups: ["system:masters", "system:authenticated"] };
const users: readonly (User | undefined)[] = [
	...Array.from({ length: 12 }, () => admin),
	{ name: "ann", groups: ["system:authenticated"] },
	{ name: "system:node:node-1", groups: ["system:nodes", "system:authenticated"] },
	{
		name: "system:serviceaccount:default:default",
		groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
	},
	undefined,
];

const protobuf = "application/vnd.kubernetes.protobuf";
const patchTypes = ["json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"];
const subresources = [
	"status",
	"scale",
	"log",
	"exec",
	"proxy",
	"eviction",
	"binding",
	"token",
	"approval",
	"finalize",
];
const otherPaths = [
	"/",
	"/version",
	"/healthz",
	"/metrics",
	"/openapi/v2",
	"/openapi/v3",
	"/api",
	"/apis",
	"/apis/apps/v1",
];
const parameters = [
	"labelSelector",
	"fieldSelector",
	"limit",
	"continue",
	"resourceVersion",
	"resourceVersionMatch",
	"timeoutSeconds",
	"timeout",
	"watch",
	"dryRun",
	"fieldManager",
	"fieldValidation",
	"force",
	"pretty",
	"propagationPolicy",
	"gracePeriodSeconds",
	"orphanDependents",
	"sendInitialEvents",
	"allowWatchBookmarks",
	"container",
	"tailLines",
	"includeObject",
];
const parameterValues = [
	"",
	"0",
	"1",
	"-1",
	"true",
	"All",
	"Strict",
	"Foreground",
	"Exact",
	"NotOlderThan",
	"a=b",
	"metadata.name=a",
];
const accepts = [
	"application/json",
	"application/yaml",
	"application/json;as=Table;g=meta.k8s.io;v=v1",
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
	protobuf,
	`${protobuf}, application/json`,
	`${protobuf};as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1`,
	"text/html",
	"*/*",
	"",
];

export function fuzzedRequest(chance: Chance): FuzzedRequest {
	const kind = chance.pick(catalog);
	const method = chance.pick([
		"GET",
		"GET",
		"POST",
		"POST",
		"POST",
		"PUT",
		"PATCH",
		"PATCH",
		"PATCH",
		"DELETE",
		"HEAD",
		"OPTIONS",
	]);
	const apiVersion =
		chance.once(8) && kind.servedAs?.[0] !== undefined ? apiVersionOf(kind.servedAs[0]) : apiVersionOf(kind);
	const isNamed = method === "POST" ? chance.once(8) : !chance.once(3);
	const headers: Record<string, string> = {};
	const body = method === "GET" || method === "HEAD" ? undefined : bodyOf(kind, apiVersion, method, headers, chance);
	if (chance.once(3)) headers["accept"] = chance.once(10) ? text(chance) : chance.pick(accepts);
	if (chance.once(25)) headers["authorization"] = `Bearer ${printable(text(chance))}`;
	if (chance.once(25)) headers["impersonate-user"] = text(chance);
	for (const header of Object.keys(headers)) headers[header] = printable(headers[header] ?? "");
	return {
		method,
		path: chance.once(30) ? oddPath(chance) : pathOf(kind, apiVersion, isNamed, chance),
		query: queryOf(method, headers, chance),
		headers,
		body,
		user: chance.pick(users),
	};
}

/** Headers of HTTP are of these characters. */
function printable(value: string): string {
	return Buffer.from(value)
		.toString()
		.replace(/[^\x21-\x7e ]/g, "?");
}

function pathOf(kind: Kind, apiVersion: string, isNamed: boolean, chance: Chance): string {
	const root = apiVersion.includes("/") ? "apis" : "api";
	const namespaced = kind.namespaced ? !chance.once(6) : chance.once(20);
	const place = namespaced ? `/namespaces/${segment(chance.once(10) ? text(chance) : "default")}` : "";
	const named = isNamed ? `/${segment(name(chance))}` : "";
	const more =
		isNamed && chance.once(5) ? `/${chance.once(10) ? segment(text(chance)) : chance.pick(subresources)}` : "";
	const rest = more !== "" && chance.once(5) ? `/${chance.once(3) ? "%" : segment(text(chance))}` : "";
	return `/${root}/${apiVersion}${place}/${kind.plural}${named}${more}${rest}`;
}

function segment(value: string): string {
	return encodeURIComponent(value.replace(/[\ud800-\udfff]/g, "\ufffd"));
}

function oddPath(chance: Chance): string {
	if (chance.once(2)) return chance.pick(otherPaths);
	return `/${Array.from({ length: chance.number(6) }, () => segment(text(chance))).join("/")}`;
}

function queryOf(method: string, headers: Record<string, string>, chance: Chance): string {
	const query = new URLSearchParams();
	if (method === "PATCH" && headers["content-type"]?.includes("apply") && !chance.once(10))
		query.set("fieldManager", "m");
	if (chance.once(3))
		for (let count = chance.number(4); count > 0; count--)
			query.append(chance.pick(parameters), chance.once(3) ? text(chance) : chance.pick(parameterValues));
	return query.toString();
}

function bodyOf(
	kind: Kind,
	apiVersion: string,
	method: string,
	headers: Record<string, string>,
	chance: Chance,
): Buffer | undefined {
	if (method === "DELETE" || method === "OPTIONS") return chance.once(4) ? json(anything(chance)) : undefined;
	if (chance.once(40)) return garbage(headers, chance);
	const object = chance.once(40) ? anything(chance) : objectOf(kind, apiVersion, chance);
	if (method !== "PATCH") {
		if (chance.once(8) && typeof object === "object" && object !== null && !Array.isArray(object)) {
			headers["content-type"] = protobuf;
			const bytes = protobufOf(object as Record<string, unknown>, kind.schema);
			return chance.once(3) ? damaged(bytes, chance) : bytes;
		}
		if (!chance.once(10)) return json(object);
		headers["content-type"] = "application/yaml";
		return yaml(object);
	}
	const type = chance.pick(patchTypes);
	headers["content-type"] = `application/${type}`;
	if (type === "json-patch+json") return json(jsonPatch(object, chance));
	if (type === "strategic-merge-patch+json" && typeof object === "object" && object !== null) {
		const directives = ["$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers"];
		if (chance.once(3))
			(object as Record<string, unknown>)[chance.pick(directives)] = chance.once(2) ? "delete" : anything(chance);
	}
	return json(object);
}

/** What is too deep for the library is written as JSON, which is YAML, too. */
function yaml(value: unknown): Buffer {
	try {
		return Buffer.from(stringify(value, { aliasDuplicateObjects: true }));
	} catch {
		return json(value);
	}
}

function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}

function garbage(headers: Record<string, string>, chance: Chance): Buffer {
	const type = chance.pick([
		"application/json",
		"application/yaml",
		"application/vnd.kubernetes.protobuf",
		"text/plain",
	]);
	headers["content-type"] = type;
	switch (chance.number(6)) {
		case 0:
			return Buffer.from(Array.from({ length: chance.number(200) }, () => chance.number(256)));
		case 1:
			return Buffer.concat([
				Buffer.from("k8s\0"),
				Buffer.from(Array.from({ length: chance.number(200) }, () => chance.number(256))),
			]);
		case 2:
			return Buffer.from(chance.pick(["[", "{", "- ", "? ", "{? ", "&a [*a,"]).repeat(chance.pick([10, 300, 20_000])));
		case 3:
			return Buffer.from(`a: &a [x,x]\nb: &b [*a,*a]\nc: [${"*b,".repeat(chance.pick([3, 5000]))}]`);
		case 4:
			return Buffer.from(`{"a":[${"1,".repeat(chance.pick([10, 200_000]))}1]}`);
		default:
			return Buffer.from(text(chance).repeat(100));
	}
}

function jsonPatch(object: unknown, chance: Chance): unknown {
	if (chance.once(15))
		return Array.from({ length: 25 }, (_, index) => ({ op: "copy", from: "/metadata", path: `/metadata/c${index}` }));
	const paths = [
		"",
		"/metadata",
		"/metadata/labels",
		"/metadata/labels/a",
		"/spec",
		"/spec/template",
		"/data",
		"/data/__proto__",
		"/metadata/finalizers/-",
		"/spec/containers/0",
	];
	return Array.from({ length: 1 + chance.number(4) }, () => ({
		op: chance.pick(["add", "remove", "replace", "move", "copy", "test", "x"]),
		path: chance.once(10) ? text(chance) : chance.pick(paths),
		from: chance.pick(paths),
		value: chance.once(3) ? object : anything(chance),
	}));
}

/** The stored object, changed in one place, as a client would write it back. */
export function changedObject(kind: Kind, stored: unknown, chance: Chance): Record<string, unknown> {
	const copy = structuredClone(stored) as Record<string, unknown>;
	mutate(copy, kind.schema, chance);
	return copy;
}

export function inProcess(
	{ method, path, query, headers, body, user }: FuzzedRequest,
	signal: AbortSignal,
): ApiRequest {
	return {
		// What is no method of these is for sockets only.
		method: method as ApiRequest["method"],
		path,
		query: new URLSearchParams(query),
		headers,
		...(user === undefined ? {} : { user }),
		...(body === undefined ? {} : { body: { bytes: body } }),
		signal,
	};
}
