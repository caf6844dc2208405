/** Paths that are no resources: health, version, discovery. */

import { endedLogsPath } from "../../core/ended-log.ts";
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import { type Discovery, discovery } from "../discovery/discovery.ts";
import { usageResources, virtualResources } from "../discovery/resources.ts";
import { dumpAt } from "../flow-control/dump.ts";
import { metricsAt } from "../metrics/paths.ts";
import { openApi } from "../openapi/openapi.ts";
import { openApiAt } from "../openapi/paths.ts";
import { methodNotAllowed, noSuchResource } from "../resources/target.ts";
import type { Server } from "../server/server.ts";
import { encodedAs } from "../wire/encode-answer.ts";
import { aggregatedFormat } from "../wire/negotiate.ts";
import { jsonResponse, objectResponse, textResponse } from "../wire/respond.ts";
import { WorkloadMetrics } from "../workload-metrics/serve.ts";
import { healthAt } from "./health.ts";
import { receiveLogs } from "./receive-logs.ts";

export type Paths = (request: ApiRequest, user: User) => Promise<ApiResponse>;

export function createPaths(server: Server): Paths {
	const { usage } = server.options;
	const documents = discovery(
		server.registry,
		usage === undefined ? virtualResources : [...virtualResources, ...usageResources],
	);
	const schemas = openApi(server.registry, { version: server.options.gitVersion ?? defaultVersion });
	const workloads = new WorkloadMetrics(server.cache, server.clock);
	return async (request, user) => {
		if (request.method === "POST" && request.path === endedLogsPath) return receiveLogs(server, request, user);
		if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
		const path = request.path.length > 1 && request.path.endsWith("/") ? request.path.slice(0, -1) : request.path;
		const found = discoveryAt(documents, path, request) ?? healthAt(path, request) ?? plainAt(server, path);
		if (found !== undefined) return found;
		const dump = dumpAt(path, server.flowControl.levels);
		if (dump !== undefined) return textResponse(dump);
		return (
			(await metricsAt(server.metrics.registry, workloads, path, user)) ??
			(await openApiAt(schemas, path, request)) ??
			missing()
		);
	};
}

function missing(): never {
	throw noSuchResource();
}

function discoveryAt(documents: Discovery, path: string, request: ApiRequest): ApiResponse | undefined {
	if (path === "/api" || path === "/apis") {
		const format = aggregatedFormat(request.headers["accept"]);
		if (format === undefined && path === "/api") return objectResponse(documents.api());
		if (format === undefined)
			return objectResponse(isOldKubectl(request) ? preferringBeta(documents.apis()) : documents.apis());
		const { version, encoding, mediaType } = format;
		const document = path === "/api" ? documents.aggregatedApi(version) : documents.aggregatedApis(version);
		const response = encodedAs(encoding, jsonResponse(document));
		response.headers["content-type"] = mediaType;
		return response;
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

/** Indented as upstream, for every client: scripts search for `"gitVersion": "v1.` in it. */
function indented(object: object): ApiResponse {
	const bytes = Buffer.from(JSON.stringify(object, undefined, 2));
	return { type: "object", status: 200, headers: { "content-type": "application/json" }, object, bytes: () => bytes };
}

function plainAt(server: Server, path: string): ApiResponse | undefined {
	switch (path.split("/")[1]) {
		case "version":
			return path === "/version" ? indented(versionOf(server.options)) : undefined;
		case "openid":
			return path === "/openid/v1/jwks" ? cached(server.tokens.keySet(), "application/jwk-set+json") : undefined;
		case ".well-known":
			return path === "/.well-known/openid-configuration"
				? cached(openIdConfiguration(server), "application/json")
				: undefined;
		case "":
			return undefined;
		default:
			return undefined;
	}
}

export const defaultVersion = "v1.36.0+coxswain";

/** Clients read major and minor. */
function versionOf({ gitVersion = defaultVersion, build }: Server["options"]): object {
	const [, major = "1", minor = "36"] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
	return {
		major,
		minor,
		emulationMajor: major,
		emulationMinor: minor,
		minCompatibilityMajor: major,
		minCompatibilityMinor: String(Number(minor) - 1),
		gitVersion,
		gitCommit: "",
		gitTreeState: "",
		buildDate: "1970-01-01T00:00:00Z",
		...build?.(),
		// What clients print under these names: what runs the program, and what compiles it.
		goVersion: `node${process.versions.node}`,
		compiler: "v8",
		platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
	};
}

/** What verifiers of tokens read, and may keep for an hour. */
function cached(object: object, type: string): ApiResponse {
	const response = objectResponse(object);
	response.headers["content-type"] = type;
	response.headers["cache-control"] = "public, max-age=3600";
	return response;
}

function openIdConfiguration({ tokens }: Server): object {
	return {
		issuer: tokens.issuer,
		jwks_uri: `${tokens.issuer}/openid/v1/jwks`,
		response_types_supported: ["id_token"],
		subject_types_supported: ["public"],
		id_token_signing_alg_values_supported: [tokens.algorithm()],
	};
}
