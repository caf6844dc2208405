/** Paths that are no resources: health, version, discovery. */

import { endedLogsPath } from "../../core/ended-log.ts";
import type { ApiRequest, ApiResponse, User } from "../../core/exchange.ts";
import type { Aggregator } from "../aggregation/aggregator.ts";
import { usageResources, virtualResources } from "../discovery/announced-resources.ts";
import { discovery } from "../discovery/discovery.ts";
import { dumpAt } from "../flow-control/dump.ts";
import { metricsAt } from "../metrics/paths.ts";
import { openApi } from "../openapi/openapi.ts";
import { openApiAt } from "../openapi/paths.ts";
import { methodNotAllowed, noSuchResource } from "../resources/target.ts";
import type { Server } from "../server/server.ts";
import { objectResponse, textResponse } from "../wire/respond.ts";
import { WorkloadMetrics } from "../workload-metrics/serve.ts";
import { discoveryAt } from "./discovery.ts";
import { healthAt } from "./health.ts";
import { receiveLogs } from "./receive-logs.ts";
import { runtime, zPages } from "./z-pages.ts";

export type Paths = (request: ApiRequest, user: User) => Promise<ApiResponse>;

export function createPaths(server: Server, aggregator: Aggregator): Paths {
	const { usage, gitVersion = defaultVersion } = server.options;
	const documents = discovery(
		server.registry,
		usage === undefined ? virtualResources : [...virtualResources, ...usageResources],
		aggregator.descriptions,
	);
	const schemas = openApi(server.registry, {
		version: gitVersion,
		parts: () => aggregator.openApiParts(),
		convertible: () => aggregator.convertibleParts(),
		remoteIndex: () => Object.assign({}, ...aggregator.descriptions().map((one) => one.openApi)),
	});
	const workloads = new WorkloadMetrics(server.cache, server.clock);
	const pageAt = zPages(server, gitVersion);
	return async (request, user) => {
		if (request.method === "POST" && request.path === endedLogsPath) return receiveLogs(server, request, user);
		if (request.method !== "GET" && request.method !== "HEAD") throw methodNotAllowed();
		const path = request.path.length > 1 && request.path.endsWith("/") ? request.path.slice(0, -1) : request.path;
		const found =
			discoveryAt(documents, path, request) ??
			healthAt(path, request) ??
			plainAt(server, path) ??
			pageAt(path, request);
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
		goVersion: runtime,
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
