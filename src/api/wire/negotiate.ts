/**
 * Content negotiation (RFC 9110, "Accept"; API concepts, "Alternate representations").
 */
import { ApiError } from "../../core/errors.ts";

export type Encoding = "json" | "yaml" | "protobuf";
/** `table` and `metadata` are other views of the object than itself. */
export type View = "object" | "table" | "metadata";

export interface Format {
	encoding: Encoding;
	view: View;
	/** Of meta.k8s.io, for the views. */
	version: "v1" | "v1beta1";
}

export const protobufType = "application/vnd.kubernetes.protobuf";

const mediaTypes: Readonly<Record<Encoding, string>> = {
	json: "application/json",
	yaml: "application/yaml",
	protobuf: protobufType,
};
/** The first one is for clients that accept anything. */
const encodings: readonly Encoding[] = ["json", "yaml", "protobuf"];

const plainJson: Format = { encoding: "json", view: "object", version: "v1" };
/** Clients send few different headers again and again. */
const knownLimit = 256;
/** In characters: longer headers are not cached. */
const longestKnown = 512;

/** The formats that an endpoint offers. */
export class Offer {
	readonly #views: Readonly<Partial<Record<View, readonly Encoding[]>>>;
	readonly #isWatch: boolean;
	readonly #known = new Map<string, Format>();

	/** @param isWatch events are framed, which YAML has no form for */
	constructor(views: Readonly<Partial<Record<View, readonly Encoding[]>>>, isWatch = false) {
		this.#views = views;
		this.#isWatch = isWatch;
	}

	/**
	 * By preference (`q`), then by how precise a media type is, then by order. As upstream, `q=0` excludes nothing.
	 * @throws ApiError NotAcceptable
	 */
	format(accept: string | undefined): Format {
		if (accept === undefined || accept === "" || accept === mediaTypes.json) return plainJson;
		let format = this.#known.get(accept);
		if (format === undefined) {
			format = this.#negotiated(accept);
			if (accept.length > longestKnown) return format;
			if (this.#known.size >= knownLimit) this.#known.clear();
			this.#known.set(accept, format);
		}
		return format;
	}

	#negotiated(accept: string): Format {
		for (const { type, parameters } of rangesOf(accept)) {
			for (const encoding of encodings) {
				if (!includes(type, mediaTypes[encoding])) continue;
				const format = this.#accepted(encoding, parameters);
				if (format === undefined) continue;
				if (this.#isWatch && encoding === "yaml") throw this.#notAcceptable();
				return format;
			}
		}
		throw this.#notAcceptable();
	}

	#accepted(encoding: Encoding, parameters: ReadonlyMap<string, string>): Format | undefined {
		const stream = parameters.get("stream") ?? "";
		if (stream !== "" && (stream !== "watch" || encoding === "yaml")) return undefined;
		if (!["", "v1"].includes(parameters.get("sv") ?? "")) return undefined;
		const view = viewOf(parameters);
		if (view === undefined || this.#views[view]?.includes(encoding) !== true) return undefined;
		return { encoding, view, version: parameters.get("v") === "v1beta1" ? "v1beta1" : "v1" };
	}

	#notAcceptable(): ApiError {
		const types = this.#isWatch
			? [mediaTypes.json, mediaTypes.protobuf].map((type) => `${type};stream=watch`)
			: encodings.map((encoding) => mediaTypes[encoding]);
		return new ApiError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`, {});
	}
}

const textual: readonly Encoding[] = ["json", "yaml"];

/** Objects of kinds with and without a form in protobuf: the metadata of all has one, and tables have none. */
const builtInViews = { object: encodings, table: textual, metadata: encodings };
const customViews = { object: textual, table: textual, metadata: encodings };

export const offers = {
	builtIn: new Offer(builtInViews),
	builtInWatch: new Offer(builtInViews, true),
	custom: new Offer(customViews),
	customWatch: new Offer(customViews, true),
	/** What has no other view than itself: answers of actions, discovery, errors. */
	plain: new Offer({ object: encodings }),
	/** The same without a form in protobuf. */
	textual: new Offer({ object: textual }),
} as const;

/** In which form a client wants to have discovery; undefined: not aggregated. */
export function aggregatedFormat(accept: string | undefined): AggregatedFormat | undefined {
	if (!accept?.includes(discoveryGroup)) return undefined;
	for (const { type, parameters } of rangesOf(accept)) {
		const encoding = encodings.find((one) => includes(type, mediaTypes[one]));
		if (encoding === undefined) continue;
		const [as, group, version] = [parameters.get("as"), parameters.get("g"), parameters.get("v")];
		if (as === undefined && group === undefined && version === undefined) return undefined;
		if (as !== discoveryList || group !== discoveryGroup || (version !== "v2" && version !== "v2beta1")) continue;
		const mediaType = `${mediaTypes[encoding]};g=${group};v=${version};as=${as}`;
		return { encoding, version, mediaType };
	}
	return undefined;
}

interface AggregatedFormat {
	encoding: Encoding;
	version: "v2" | "v2beta1";
	/** As the answer says it. */
	mediaType: string;
}

const discoveryGroup = "apidiscovery.k8s.io";
const discoveryList = "APIGroupDiscoveryList";

/** Of the structured forms of `/statusz` and `/flagz`. */
export const pageGroup = "config.k8s.io";

export interface PageFormat {
	encoding: "json" | "yaml";
	version: "v1beta1" | "v1alpha1";
}

/**
 * In which form a client wants such a page; undefined: as text.
 * @param kind what a client has to name, with group and version, to have it structured @throws ApiError NotAcceptable
 */
export function pageFormat(accept: string | undefined, kind: string): PageFormat | undefined {
	if (accept === undefined || accept.trim() === "") return undefined;
	for (const { type, parameters } of rangesOf(accept)) {
		const [as, group, version] = [parameters.get("as"), parameters.get("g"), parameters.get("v")];
		if (as === undefined && group === undefined && version === undefined) {
			if (["text/plain", "text/*", "*/*"].includes(type)) return undefined;
			continue;
		}
		if (as !== kind || group !== pageGroup || (version !== "v1beta1" && version !== "v1alpha1")) continue;
		for (const encoding of ["json", "yaml"] as const)
			if (includes(type, mediaTypes[encoding])) return { encoding, version };
	}
	const types = [mediaTypes.json, mediaTypes.yaml, "text/plain"];
	throw new ApiError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`, {});
}

/**
 * The one of the media types that a client prefers; the first one without a preference.
 * @throws ApiError NotAcceptable
 */
export function acceptedType(accept: string | undefined, types: readonly [string, ...string[]]): string {
	if (accept === undefined || accept.trim() === "") return types[0];
	for (const range of rangesOf(accept)) {
		const found = types.find((type) => includes(range.type, type));
		if (found !== undefined) return found;
	}
	throw new ApiError("NotAcceptable", `only the following media types are accepted: ${types.join(", ")}`, {});
}

interface MediaRange {
	/** In lower case. */
	type: string;
	parameters: ReadonlyMap<string, string>;
}

/** The most preferred first. What is no media range is passed over. */
function rangesOf(accept: string): MediaRange[] {
	const ranges: (MediaRange & { quality: number; precision: number })[] = [];
	for (const clause of accept.split(",")) {
		const [range = "", ...rest] = clause.split(";").map((part) => part.trim());
		const type = range === "*" ? "*/*" : range.toLowerCase();
		if (!type.includes("/")) continue;
		const parameters = new Map<string, string>();
		let quality = 1;
		for (const part of rest) {
			const at = part.indexOf("=");
			if (at < 0) continue;
			const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
			if (name === "q") quality = Number(value) || 0;
			else parameters.set(name, value);
		}
		const precision = type === "*/*" ? 0 : type.endsWith("/*") ? 1 : 2;
		ranges.push({ type, parameters, quality, precision });
	}
	return ranges.sort((one, other) => other.quality - one.quality || other.precision - one.precision);
}

function includes(range: string, type: string): boolean {
	return range === type || range === "*/*" || range === "application/*";
}

/** Undefined for a view that nobody has. */
function viewOf(parameters: ReadonlyMap<string, string>): View | undefined {
	const [as, group, version] = [parameters.get("as"), parameters.get("g"), parameters.get("v")];
	if (as === undefined && group === undefined && version === undefined) return "object";
	if (group !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
	if (as === "Table") return "table";
	return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? "metadata" : undefined;
}
