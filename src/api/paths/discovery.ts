/** Discovery under `/api` and `/apis`, in the form that the client can read. */
import { createHash } from "node:crypto";
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { encodedAs } from "../wire/encode-answer.ts";
import { aggregatedFormat } from "../wire/negotiate.ts";
import { jsonResponse, type ObjectResponse, objectResponse } from "../wire/respond.ts";

/** @returns undefined for a path that is no discovery */
export function discoveryAt(documents: Discovery, path: string, request: ApiRequest): ApiResponse | undefined {
	if (path === "/api" || path === "/apis") {
		const format = aggregatedFormat(request.headers["accept"]);
		if (format === undefined && path === "/api") return objectResponse(documents.api());
		if (format === undefined)
			return objectResponse(isOldKubectl(request) ? preferringBeta(documents.apis()) : documents.apis());
		const { version, encoding, mediaType } = format;
		const document = path === "/api" ? documents.aggregatedApi(version) : documents.aggregatedApis(version);
		return taggedResponse(document, mediaType, request, () => encodedAs(encoding, jsonResponse(document)));
	}
	if (path === "/api/v1") return objectResponse(documents.apiV1());
	const [, root, group, groupVersion, ...more] = path.split("/");
	if (root !== "apis" || group === undefined || more.length > 0) return undefined;
	const document = groupVersion === undefined ? documents.group(group) : documents.groupVersion(group, groupVersion);
	if (document === undefined) return undefined;
	return objectResponse(groupVersion === undefined && isOldKubectl(request) ? preferringBeta(document) : document);
}

/**
 * kubectl before 1.21 cannot read a CronJob of batch/v1, as it must for `create job --from`. It reads the group's
 * preferred version, so for it that is batch/v1beta1; manifests of batch/v1 still find their kind.
 */
function isOldKubectl(request: ApiRequest): boolean {
	// The first word is what the program's file is called.
	return /^[^/ ]+\/v1\.(\d|1\d|20)\.\S* \(.*\) kubernetes\//.test(request.headers["user-agent"] ?? "");
}

interface GroupDocument {
	name: string;
	versions: { version: string }[];
}

/** An APIGroup, or the list of all, with the group batch preferring its version v1beta1. */
function preferringBeta(document: object): object {
	// Made by discovery.ts as APIGroup or APIGroupList.
	if ("groups" in document) return { ...document, groups: (document.groups as GroupDocument[]).map(preferringBeta) };
	const group = document as GroupDocument;
	const beta = group.versions.find(({ version }) => version === "v1beta1");
	if (group.name !== "batch" || beta === undefined) return document;
	return { ...group, versions: [beta, ...group.versions.filter((other) => other !== beta)], preferredVersion: beta };
}

/** Documents are the same objects until something changes. */
const tagged = new WeakMap<object, Map<string, { answer: ObjectResponse; etag: string }>>();

/** Clients keep the aggregated form, and ask whether it has changed. */
function taggedResponse(
	document: object,
	mediaType: string,
	request: ApiRequest,
	encode: () => ObjectResponse,
): ApiResponse {
	const forms = tagged.get(document) ?? new Map<string, { answer: ObjectResponse; etag: string }>();
	tagged.set(document, forms);
	let form = forms.get(mediaType);
	if (form === undefined) {
		const answer = encode();
		const hash = createHash("sha512");
		for (const part of [answer.bytes()].flat()) hash.update(part);
		form = { answer, etag: `"${hash.digest("hex").toUpperCase()}"` };
		forms.set(mediaType, form);
	}
	const { answer, etag } = form;
	const headers = { "content-type": mediaType, etag, vary: "Accept", "cache-control": "public" };
	const tags = request.headers["if-none-match"]?.split(",") ?? [];
	if (tags.some((tag) => tag.trim().replace(/^W\//, "") === etag))
		return { type: "object", status: 304, headers, object: undefined, bytes: () => new Uint8Array() };
	return { type: "object", status: 200, headers, object: document, bytes: answer.bytes };
}
