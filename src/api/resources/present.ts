/** Objects as the client wants to see them: as they are, in the version he speaks, as a table, or metadata only. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse, ServedWatchEvent } from "../../core/exchange.ts";
import { copyObject, type KubeObject } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import { apiVersionOf, type ServedVersion } from "../../kinds/engine/kind.ts";
import { type Cached, type Encoded, Made } from "../cache/cached.ts";
import { SharedEvent } from "../cache/event.ts";
import type { Context } from "../server/server.ts";
import { type Format, formatOf } from "../wire/negotiate.ts";
import { encodedResponse, type ListParts, listResponse, objectResponse } from "../wire/respond.ts";
import { type IncludeObject, renderTable } from "./tables.ts";
import type { Target } from "./target.ts";

/** @throws ApiError NotAcceptable */
export function present(context: Context, target: Target, cached: Cached, status = 200): ApiResponse {
	const format = formatOf(context.request.headers["accept"]);
	if (format.view === "table") return objectResponse(tableOf(context, target, format, [cached], {}), status);
	return asYaml(format, encodedResponse(viewOf(target, format, cached), status));
}

export function presentList(
	context: Context,
	target: Target,
	items: readonly Cached[],
	metadata: ListParts["metadata"],
): ApiResponse {
	const format = formatOf(context.request.headers["accept"]);
	if (format.view === "table") return objectResponse(tableOf(context, target, format, items, metadata));
	const isMetadata = format.view === "metadata";
	const views = !isMetadata && target.served === undefined ? items : items.map((item) => viewOf(target, format, item));
	const response = listResponse({
		apiVersion: isMetadata ? `meta.k8s.io/${format.version}` : target.apiVersion,
		kind: isMetadata ? "PartialObjectMetadataList" : (target.kind.listKind ?? `${target.kind.kind}List`),
		metadata,
		items: views,
	});
	return asYaml(format, response);
}

/** How a watch's events look to the client. @throws ApiError NotAcceptable */
export function eventView(context: Context, target: Target): (event: ServedWatchEvent) => ServedWatchEvent {
	const format = formatOf(context.request.headers["accept"]);
	if (format.encoding === "yaml")
		throw new ApiError("NotAcceptable", "only the following media types are accepted: application/json", {});
	if (format.view === "object" && target.served === undefined) return (event) => event;
	if (format.view === "table") return tableEvents(context, target, format);
	return (event) => {
		if (event.type === "BOOKMARK" && format.view === "object") return event;
		return new SharedEvent(event.type, viewOf(target, format, event), event.revision);
	};
}

/** The first event contains the column definitions; later events omit them. */
function tableEvents(context: Context, target: Target, format: Format): (event: ServedWatchEvent) => ServedWatchEvent {
	let isFirst = true;
	return (event) => {
		const objects = event.type === "BOOKMARK" ? [] : [event];
		const metadata = { resourceVersion: String(event.revision) };
		const table = tableOf(context, target, format, objects, metadata, isFirst);
		isFirst = false;
		// A table stands where an object of the kind would.
		return new SharedEvent(event.type, new Made(table as unknown as KubeObject), event.revision);
	};
}

function tableOf(
	context: Context,
	target: Target,
	{ version }: Format,
	items: readonly { object: KubeObject }[],
	metadata: Partial<ListParts["metadata"]>,
	columnDefinitions = true,
): object {
	const include = context.request.query.get("includeObject") ?? "Metadata";
	if (include !== "None" && include !== "Metadata" && include !== "Object")
		throw new ApiError("BadRequest", `unrecognized includeObject value: ${JSON.stringify(include)}`);
	const objects = items.map(({ object }) => (include === "Object" ? servedObject(target, { object }) : object));
	return renderTable(target.kind, objects, {
		nowMs: context.server.clock.now(),
		// One of the three, as was checked above.
		includeObject: include as IncludeObject,
		version,
		...metadata,
		columnDefinitions,
	});
}

function viewOf(target: Target, { view, version }: Format, item: Encoded): Encoded {
	if (view === "metadata") {
		// Metadata stands where the whole object would.
		const { metadata } = item.object;
		return new Made({ kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata });
	}
	return target.served === undefined ? item : converted(item, target.served);
}

/** Objects in other versions, made once for as long as they are current. */
const conversions = new WeakMap<KubeObject, Map<ServedVersion, Made>>();

function converted({ object }: Pick<Encoded, "object">, served: ServedVersion): Made {
	let versions = conversions.get(object);
	if (versions === undefined) {
		versions = new Map();
		conversions.set(object, versions);
	}
	let made = versions.get(served);
	if (made === undefined) {
		const copy = copyObject(object);
		served.fromStorage(copy);
		copy.apiVersion = apiVersionOf(served);
		made = new Made(copy);
		versions.set(served, made);
	}
	return made;
}

/** The object in the version that the client speaks; frozen. */
export function servedObject({ served }: Pick<Target, "served">, cached: Pick<Encoded, "object">): KubeObject {
	return served === undefined ? cached.object : converted(cached, served).object;
}

/** Writing YAML takes a hundred times as long as JSON, which is YAML, too: so a long answer is written. */
const largestYamlBytes = 256 * 1024;

function asYaml({ encoding }: Format, response: ApiResponse): ApiResponse {
	if (encoding !== "yaml" || response.type !== "object") return response;
	return {
		...response,
		headers: { ...response.headers, "content-type": "application/yaml" },
		object: response.object,
		bytes: () => {
			const parts = response.bytes();
			let byteCount = 0;
			if (parts instanceof Uint8Array) byteCount = parts.length;
			else for (const part of parts) byteCount += part.length;
			if (byteCount > largestYamlBytes) return parts;
			return Buffer.from(yamlLibrary().stringify(response.object, { aliasDuplicateObjects: false }));
		},
	};
}
