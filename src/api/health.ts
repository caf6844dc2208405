/** `/healthz`, `/livez`, `/readyz` (Kubernetes documentation, "Kubernetes API health endpoints"). */
import type { ApiRequest, ApiResponse } from "../core/exchange.ts";
import { textResponse } from "./respond.ts";

/** A server that answers at all is well: it is served only when its store has been read. Upstream's names of that. */
export const healthChecks: Readonly<Record<string, readonly string[]>> = {
	healthz: ["ping", "log", "etcd"],
	livez: ["ping", "log", "etcd"],
	readyz: ["ping", "log", "etcd", "informer-sync"],
};

/** Undefined when the path is about no check there is. */
export function healthAt(path: string, { query }: Pick<ApiRequest, "query">): ApiResponse | undefined {
	const [, endpoint = "", check, ...more] = path.split("/");
	const names = Object.hasOwn(healthChecks, endpoint) ? healthChecks[endpoint] : undefined;
	if (names === undefined || more.length > 0) return undefined;
	if (check !== undefined) return names.includes(check) ? textResponse("ok") : undefined;
	if (!query.has("verbose")) return textResponse("ok");
	const excluded = query.getAll("exclude");
	const lines = names.map((name) => `[+]${name} ${excluded.includes(name) ? "excluded: ok" : "ok"}`);
	const unknown = excluded.filter((name) => !names.includes(name)).map((name) => JSON.stringify(name));
	if (unknown.length > 0)
		lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(", ")}`);
	return textResponse(`${[...lines, `${endpoint} check passed`].join("\n")}\n`);
}
