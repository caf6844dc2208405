/**
 * `kubectl get componentstatuses`: the parts of the control plane, each as an object that is made when it is asked for.
 * They run in this process, and a server that responds has read its store, so they are always healthy.
 */
import { notFound } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { column, nameColumn } from "../../kinds/engine/columns.ts";
import type { Column } from "../../kinds/engine/kind.ts";
import type { ComponentStatus } from "../../kinds/generated/types.ts";
import { componentStatuses } from "../discovery/announced-resources.ts";
import type { ResourceInfo } from "../request/request-info.ts";
import { renderTable } from "../resources/tables.ts";
import { methodNotAllowed } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { offers } from "../wire/negotiate.ts";
import { jsonResponse, objectResponse } from "../wire/respond.ts";

const parts: readonly ComponentStatus[] = ["controller-manager", "scheduler", "etcd-0"].map((name) => ({
	kind: "ComponentStatus",
	apiVersion: "v1",
	metadata: { name, uid: "", resourceVersion: "", creationTimestamp: "" },
	conditions: [{ type: "Healthy", status: "True", message: "ok" }],
}));

const healthy = ({ conditions }: ComponentStatus) => conditions?.find(({ type }) => type === "Healthy");
const columns: readonly Column<ComponentStatus>[] = [
	nameColumn,
	column("Status", "Whether it is well.", (part) => (healthy(part)?.status === "True" ? "Healthy" : "Unhealthy")),
	column("Message", "What it says.", (part) => healthy(part)?.message ?? ""),
	column("Error", "What is wrong.", (part) => healthy(part)?.error ?? ""),
];

/** Undefined when the request is for something else. */
export function serveComponentStatuses(context: Context, resource: ResourceInfo): Promise<ApiResponse> | undefined {
	const { group, version, plural, namespace, name, subresource } = resource;
	if (group !== "" || version !== "v1" || plural !== componentStatuses.plural) return undefined;
	if (namespace !== undefined || subresource !== undefined) return undefined;
	if (context.info.verb !== "get" && context.info.verb !== "list") throw methodNotAllowed();
	context.warnings.push("v1 ComponentStatus is deprecated in v1.19+");
	const found = name === undefined ? parts : parts.filter(({ metadata }) => metadata.name === name);
	if (name !== undefined && found.length === 0) throw notFound(componentStatuses, name);
	return Promise.resolve(answer(context, found, name !== undefined));
}

function answer({ request, server }: Context, found: readonly ComponentStatus[], single: boolean): ApiResponse {
	const { view, version } = offers.builtIn.format(request.headers["accept"]);
	if (view === "table") return jsonResponse(renderTable({ columns }, found, { nowMs: server.clock.now(), version }));
	const apiVersion = view === "metadata" ? `meta.k8s.io/${version}` : "v1";
	const kind = view === "metadata" ? "PartialObjectMetadata" : componentStatuses.kind;
	const items = found.map(({ metadata: { name }, conditions }) => ({
		kind,
		apiVersion,
		metadata: { name },
		...(view === "object" && { conditions }),
	}));
	const object = single ? (items[0] ?? {}) : { kind: `${kind}List`, apiVersion, metadata: {}, items };
	return view === "metadata" ? jsonResponse(object) : objectResponse(object);
}
