/** `/healthz`, `/livez`, `/readyz` (Kubernetes documentation, "Kubernetes API health endpoints"). */
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import { textResponse } from "../wire/respond.ts";

/**
 * Upstream's names of what a server does as it starts, in its order, as far as there is such a thing here. A server
 * that answers at all has done it: it is served only when its store has been read and what every cluster has is there.
 */
const startHooks = [
	"start-apiserver-admission-initializer",
	"generic-apiserver-start-informers",
	"priority-and-fairness-config-consumer",
	"priority-and-fairness-filter",
	"start-apiextensions-informers",
	"start-apiextensions-controllers",
	"crd-informer-synced",
	"start-system-namespaces-controller",
	"start-cluster-authentication-info-controller",
	"start-service-ip-repair-controllers",
	"rbac/bootstrap-roles",
	"scheduling/bootstrap-system-priority-classes",
	"priority-and-fairness-config-producer",
	"bootstrap-controller",
	"start-kubernetes-service-cidr-controller",
	"start-kube-aggregator-informers",
	"apiservice-status-local-available-controller",
	"apiservice-status-remote-available-controller",
	"apiservice-registration-controller",
	"apiservice-discovery-controller",
	"kube-apiserver-autoregistration",
	"apiservice-openapi-controller",
	"apiservice-openapiv3-controller",
].map((name) => `poststarthook/${name}`);

const started = [...startHooks, "autoregister-completion"];

export const healthChecks: Readonly<Record<string, readonly string[]>> = {
	healthz: ["ping", "log", "etcd", ...started],
	livez: ["ping", "log", "etcd", ...started],
	readyz: ["ping", "log", "etcd", "etcd-readiness", "informer-sync", ...started, "shutdown"],
};

/** Whether someone asks if the server is alive, which costs nothing to answer. */
export function isProbe(path: string): boolean {
	const [, endpoint = ""] = path.split("/", 2);
	return Object.hasOwn(healthChecks, endpoint);
}

/** Undefined when the path is about no check there is. */
export function healthAt(path: string, { query }: Pick<ApiRequest, "query">): ApiResponse | undefined {
	const [, endpoint = "", ...more] = path.split("/");
	const names = Object.hasOwn(healthChecks, endpoint) ? healthChecks[endpoint] : undefined;
	if (names === undefined) return undefined;
	if (more.length > 0) return names.includes(more.join("/")) ? textResponse("ok") : undefined;
	if (!query.has("verbose")) return textResponse("ok");
	const excluded = query.getAll("exclude");
	const lines = names.map((name) => `[+]${name} ${excluded.includes(name) ? "excluded: ok" : "ok"}`);
	const unknown = excluded.filter((name) => !names.includes(name)).map((name) => JSON.stringify(name));
	if (unknown.length > 0)
		lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(", ")}`);
	return textResponse(`${[...lines, `${endpoint} check passed`].join("\n")}\n`);
}
