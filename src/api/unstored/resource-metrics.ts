/** metrics.k8s.io/v1beta1, which `kubectl top` asks: what nodes and pods use now. Nothing of it is stored. */

import { ApiError, notFound } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { KubeObject } from "../../core/object.ts";
import { formatQuantity } from "../../core/quantity.ts";
import { parseLabelSelector } from "../../core/selection/selector.ts";
import { timestamp } from "../../core/time/clock.ts";
import { nodes } from "../../kinds/core/node.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { ResourceInfo } from "../request/request-info.ts";
import { methodNotAllowed } from "../resources/target.ts";
import type { ContainerUsage, NodeUsage } from "../server/node-usage.ts";
import type { Context, Server } from "../server/server.ts";
import { encodedAs } from "../wire/encode-answer.ts";
import { offers } from "../wire/negotiate.ts";
import { jsonResponse } from "../wire/respond.ts";

const group = "metrics.k8s.io";
const version = "v1beta1";

/** Undefined if the request is for something else, or usage is not available. */
export function serveUsage(context: Context, resource: ResourceInfo): Promise<ApiResponse> | undefined {
	const { usage } = context.server.options;
	if (usage === undefined || resource.group !== group || resource.version !== version) return undefined;
	if (resource.subresource !== undefined) return undefined;
	if (resource.plural === "nodes" && resource.namespace === undefined) return answer(context, resource, usage);
	return resource.plural === "pods" ? answer(context, resource, usage) : undefined;
}

async function answer(
	context: Context,
	resource: ResourceInfo,
	usage: NonNullable<Server["options"]["usage"]>,
): Promise<ApiResponse> {
	const { verb } = context.info;
	if (verb !== "get" && verb !== "list") throw methodNotAllowed();
	const format = offers.builtIn.format(context.request.headers["accept"]);
	const encoded = (object: object) => encodedAs(format.encoding, jsonResponse(object));
	const view = (metrics: Metrics): object =>
		format.view === "metadata"
			? { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${format.version}`, metadata: metrics.metadata }
			: metrics;
	const read = await usage();
	const ofNodes = resource.plural === "nodes";
	const found = ofNodes ? nodeMetrics(context, read) : podMetrics(context, read, resource.namespace);
	if (resource.name !== undefined) {
		const one = found.find(({ metadata }) => metadata.name === resource.name);
		if (one === undefined) throw notFound({ group, plural: resource.plural }, resource.name);
		return encoded(view(one));
	}
	const items = found.filter(selected(context)).map(view);
	if (format.view === "metadata")
		return encoded({
			kind: "PartialObjectMetadataList",
			apiVersion: `meta.k8s.io/${format.version}`,
			metadata: {},
			items,
		});
	const kind = ofNodes ? "NodeMetricsList" : "PodMetricsList";
	return encoded({ kind, apiVersion: `${group}/${version}`, metadata: {}, items });
}

type Metrics = { metadata: { name: string; namespace?: string; labels?: Record<string, string> } };

function selected({ request: { query } }: Context): (metrics: Metrics) => boolean {
	const labelSelector = query.get("labelSelector") ?? "";
	const fieldSelector = query.get("fieldSelector") ?? "";
	const name = /^metadata\.name==?([^,]+)$/.exec(fieldSelector)?.[1];
	if (fieldSelector !== "" && name === undefined)
		throw new ApiError("BadRequest", `field selector "${fieldSelector}" is not supported: only metadata.name is`);
	const selector = labelSelector === "" ? undefined : parseLabelSelector(labelSelector);
	return ({ metadata }) =>
		(name === undefined || metadata.name === name) && (selector?.matches(metadata.labels ?? {}) ?? true);
}

function nodeMetrics({ server }: Context, read: readonly NodeUsage[]): Metrics[] {
	return read.flatMap((usage) => {
		const node = server.cache.find(nodes, undefined, usage.name);
		if (node === undefined) return [];
		return [{ ...head("NodeMetrics", node, usage), usage: amounts(usage) }];
	});
}

function podMetrics({ server }: Context, read: readonly NodeUsage[], namespace: string | undefined): Metrics[] {
	return read
		.flatMap((node) => node.pods)
		.filter((pod) => namespace === undefined || pod.namespace === namespace)
		.flatMap((usage) => {
			const pod = server.cache.find(pods, usage.namespace, usage.name);
			if (pod === undefined || pod.metadata.uid !== usage.uid) return [];
			const containers = usage.containers.map((one) => ({ name: one.name, usage: amounts(one) }));
			return [{ ...head("PodMetrics", pod, usage), containers }];
		});
}

function head(kind: string, { metadata }: KubeObject, { atMs, windowMs }: { atMs: number; windowMs: number }) {
	const { name, namespace, labels, creationTimestamp } = metadata;
	return {
		kind,
		apiVersion: `${group}/${version}`,
		metadata: {
			name,
			...(namespace === undefined ? {} : { namespace }),
			creationTimestamp,
			...(labels === undefined ? {} : { labels }),
		},
		timestamp: timestamp(atMs),
		window: `${(windowMs / 1000).toFixed(3).replace(/\.?0+$/, "")}s`,
	};
}

function amounts({ cpuNanoCores, memoryBytes }: Omit<ContainerUsage, "name">) {
	return {
		cpu: `${Math.round(cpuNanoCores)}n`,
		memory: formatQuantity(BigInt(Math.ceil(memoryBytes / 1024)) * 1024n * 1_000_000_000n, "binary"),
	};
}
