/** What the client can read (RFC 9110, "Accept"; API concepts, "Resources as tables"). */
import { ApiError } from "../../core/errors.ts";

export interface Format {
	encoding: "json" | "yaml";
	/** `table` and `metadata` are other views of the object than itself. */
	view: "object" | "table" | "metadata";
	/** Of meta.k8s.io, for the views. */
	version: "v1" | "v1beta1";
}

const plainJson: Format = { encoding: "json", view: "object", version: "v1" };
/** Clients send few different headers, over and over. */
const known = new Map<string, Format>();
const knownLimit = 256;
/** In characters: what is kept of clients' headers is not theirs to choose. */
const longestKnown = 512;

/** @throws ApiError NotAcceptable */
export function formatOf(accept: string | undefined): Format {
	if (accept === undefined || accept === "" || accept === "application/json") return plainJson;
	let format = known.get(accept);
	if (format === undefined) {
		format = negotiated(accept);
		if (accept.length > longestKnown) return format;
		if (known.size >= knownLimit) known.clear();
		known.set(accept, format);
	}
	return format;
}

function negotiated(accept: string): Format {
	for (const clause of accept.split(",")) {
		const [type = "", ...rest] = clause.split(";").map((part) => part.trim());
		const encoding = encodingOf(type.toLowerCase());
		if (encoding === undefined) continue;
		const parameters = new Map(
			rest.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]),
		);
		const view = viewOf(parameters);
		if (view === undefined) continue;
		return { encoding, view, version: parameters.get("v") === "v1beta1" ? "v1beta1" : "v1" };
	}
	throw new ApiError(
		"NotAcceptable",
		"only the following media types are accepted: application/json, application/yaml",
		{},
	);
}

function encodingOf(type: string): Format["encoding"] | undefined {
	if (type === "application/json" || type === "*/*" || type === "application/*") return "json";
	return type === "application/yaml" ? "yaml" : undefined;
}

function viewOf(parameters: ReadonlyMap<string, string>): Format["view"] | undefined {
	const as = parameters.get("as");
	if (as === undefined) return "object";
	if (parameters.get("g") !== "meta.k8s.io") return undefined;
	if (parameters.get("v") !== "v1" && parameters.get("v") !== "v1beta1") return undefined;
	if (as === "Table") return "table";
	return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? "metadata" : undefined;
}
