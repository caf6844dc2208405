/** Objects in the form that the client requests: in its version, as a table, or only their metadata. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse, ServedWatchEvent, WatchFrames } from "../../core/exchange.ts";
import { copyObject, type KubeObject } from "../../core/object.ts";
import { shortened } from "../../core/shown.ts";
import { apiVersionOf, type ServedVersion } from "../../kinds/engine/kind.ts";
import { type Cached, type Encoded, Made } from "../cache/cached.ts";
import { SharedEvent } from "../cache/event.ts";
import type { Context } from "../server/server.ts";
import { asYaml } from "../wire/encode-answer.ts";
import { type Format, offers } from "../wire/negotiate.ts";
import { hasNumbers } from "../wire/protobuf/field-numbers.ts";
import {
	metadataForm,
	type ProtobufForm,
	ProtobufFrames,
	protobufList,
	protobufObject,
	wholeForm,
} from "../wire/protobuf-answers.ts";
import { encodedResponse, jsonResponse, type ListParts, listResponse } from "../wire/respond.ts";
import { type IncludeObject, renderTable } from "./tables.ts";
import type { Target } from "./target.ts";

/** How the client wants to see objects. @throws ApiError NotAcceptable */
export function formatFor({ request, info }: Context, target: Target): Format {
	const isWatch = info.verb === "watch";
	const offer = hasProtobuf(target)
		? isWatch
			? offers.builtInWatch
			: offers.builtIn
		: isWatch
			? offers.customWatch
			: offers.custom;
	return offer.format(request.headers["accept"]);
}

/** @throws ApiError NotAcceptable */
export function present(context: Context, target: Target, cached: Cached, status = 200): ApiResponse {
	const format = formatFor(context, target);
	if (format.view === "table") return textual(format, tableOf(context, target, format, [cached], {}), status);
	if (format.encoding === "protobuf")
		return protobufObject(protobufForm(target, format), servedObject(target, cached), status);
	const response = encodedResponse(viewOf(target, format, cached), status);
	return format.encoding === "yaml" ? asYaml(response) : response;
}

export function presentList(
	context: Context,
	target: Target,
	items: readonly Cached[],
	metadata: ListParts["metadata"],
): ApiResponse {
	const format = formatFor(context, target);
	const { encoding, view } = format;
	if (view === "table") return textual(format, tableOf(context, target, format, items, metadata));
	const isMetadata = view === "metadata";
	// What protobuf has of an object it takes from the object itself.
	const isItself = isMetadata ? encoding === "protobuf" : target.served === undefined;
	const list = {
		apiVersion: isMetadata ? `meta.k8s.io/${format.version}` : target.apiVersion,
		kind: isMetadata ? "PartialObjectMetadataList" : (target.kind.listKind ?? `${target.kind.kind}List`),
		metadata,
		items: isItself ? items : items.map((item) => viewOf(target, format, item)),
	};
	if (encoding === "protobuf") return protobufList(protobufForm(target, format), list);
	const response = listResponse(list);
	return encoding === "yaml" ? asYaml(response) : response;
}

function textual({ encoding }: Format, table: object, status = 200): ApiResponse {
	const response = jsonResponse(table, status);
	return encoding === "yaml" ? asYaml(response) : response;
}

/** The form and framing of a watch's events for the client. @throws ApiError NotAcceptable */
export function watchForm(
	context: Context,
	target: Target,
): { view(event: ServedWatchEvent): ServedWatchEvent; frames: WatchFrames | undefined } {
	const format = formatFor(context, target);
	const frames = format.encoding === "protobuf" ? framesOf(target, format) : undefined;
	if (format.view === "table") return { view: tableEvents(context, target, format), frames };
	const isItself = format.view === "metadata" ? frames !== undefined : target.served === undefined;
	if (isItself) return { view: (event) => event, frames };
	return {
		view: (event) => {
			if (event.type === "BOOKMARK" && format.view === "object") return event;
			return new SharedEvent(event.type, viewOf(target, format, event), event.revision);
		},
		frames,
	};
}

/** Only Kubernetes' own types are in protobuf. */
function hasProtobuf({ kind, served }: Target): boolean {
	return kind.custom === undefined && hasNumbers(served?.schema ?? kind.schema);
}

function protobufForm({ kind, served, apiVersion }: Target, { view, version }: Format): ProtobufForm {
	if (view === "metadata") return metadataForm(version);
	return wholeForm(served?.schema ?? kind.schema, { apiVersion, kind: kind.kind });
}

/** For each form of objects, those that their watchers share. */
const frames = new Map<string, ProtobufFrames>();

function framesOf(target: Target, format: Format): ProtobufFrames {
	const form = protobufForm(target, format);
	const name = `${form.apiVersion} ${form.kind}`;
	let shared = frames.get(name);
	if (shared === undefined) {
		shared = new ProtobufFrames(form);
		frames.set(name, shared);
	}
	return shared;
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
	const include = context.request.query.get("includeObject") || "Metadata";
	if (include !== "None" && include !== "Metadata" && include !== "Object")
		throw new ApiError(
			"BadRequest",
			`Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(shortened(include))}: ` +
				"must be 'Metadata', 'Object', 'None', or empty",
		);
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
