/**
 * Reads the discovery of an extension API server for one group version. Everything is checked, because the server is
 * not trusted.
 */
import { isRecord } from "../../core/object.ts";

/** A resource of `APIVersionDiscovery`, with the fields that this server itself reads. */
export interface DiscoveredResource {
	resource: string;
	responseKind: { group: string; version: string; kind: string };
	scope: "Namespaced" | "Cluster";
	singularResource: string;
	verbs: readonly string[];
	shortNames?: readonly string[];
	categories?: readonly string[];
	subresources?: readonly { subresource: string; responseKind: object; verbs: readonly string[] }[];
}

interface GroupVersion {
	group: string;
	version: string;
}

/**
 * From an `APIGroupDiscoveryList`.
 * @returns undefined where the group version is not in it
 * @throws Error with the problem
 */
export function aggregatedResources(document: unknown, wanted: GroupVersion): DiscoveredResource[] | undefined {
	for (const group of list(document, "items")) {
		if (!isRecord(group) || !isRecord(group["metadata"]) || group["metadata"]["name"] !== wanted.group) continue;
		for (const version of list(group, "versions"))
			if (isRecord(version) && version["version"] === wanted.version)
				return list(version, "resources").map((one) => resourceFrom(one, wanted));
	}
	return undefined;
}

/** From an `APIResourceList`, the older form. @throws Error that says what it is */
export function listedResources(document: unknown, wanted: GroupVersion): DiscoveredResource[] {
	const found = new Map<string, DiscoveredResource & { subresources: { subresource: string }[] }>();
	const subresources: [resource: string, name: string, fields: Fields][] = [];
	for (const one of list(document, "resources")) {
		const fields = record(one);
		const [resource = "", ...rest] = text(fields, "name").split("/");
		if (rest.length > 0) subresources.push([resource, rest.join("/"), fields]);
		else
			found.set(resource, {
				resource,
				responseKind: kindOf(fields, wanted),
				scope: fields["namespaced"] === true ? "Namespaced" : "Cluster",
				singularResource: text(fields, "singularName", ""),
				verbs: texts(fields, "verbs"),
				...optional(fields),
				subresources: [],
			});
	}
	for (const [resource, subresource, fields] of subresources) {
		const part = { subresource, responseKind: kindOf(fields, wanted), verbs: texts(fields, "verbs") };
		found.get(resource)?.subresources.push(part);
	}
	return [...found.values()].map(({ subresources: parts, ...one }) =>
		// Both have the form of a list of subresources.
		parts.length === 0 ? one : ({ ...one, subresources: parts } as DiscoveredResource),
	);
}

type Fields = Readonly<Record<string, unknown>>;

function resourceFrom(value: unknown, wanted: GroupVersion): DiscoveredResource {
	const fields = record(value);
	const parts = fields["subresources"] === undefined ? [] : list(fields, "subresources").map(record);
	return {
		resource: text(fields, "resource"),
		responseKind: responseKind(fields, wanted),
		scope: fields["scope"] === "Namespaced" ? "Namespaced" : "Cluster",
		singularResource: text(fields, "singularResource", ""),
		verbs: texts(fields, "verbs"),
		...optional(fields),
		...(parts.length > 0 && {
			subresources: parts.map((part) => ({
				subresource: text(part, "subresource"),
				responseKind: responseKind(part, wanted),
				verbs: texts(part, "verbs"),
			})),
		}),
	};
}

function optional(fields: Fields): Pick<DiscoveredResource, "shortNames" | "categories"> {
	return {
		...(fields["shortNames"] !== undefined && { shortNames: texts(fields, "shortNames") }),
		...(fields["categories"] !== undefined && { categories: texts(fields, "categories") }),
	};
}

/** Clients of some versions cannot read a resource without one. */
function responseKind(fields: Fields, wanted: GroupVersion) {
	const { responseKind: found } = fields;
	return isRecord(found) ? kindOf(found, wanted) : { group: "", version: "", kind: "" };
}

function kindOf(fields: Fields, { group, version }: GroupVersion) {
	return {
		group: text(fields, "group", "") || group,
		version: text(fields, "version", "") || version,
		kind: text(fields, "kind", ""),
	};
}

function record(value: unknown): Fields {
	if (!isRecord(value)) throw new Error("the answer is no discovery: an element of a list is no object");
	return value;
}

function list(value: unknown, field: string): readonly unknown[] {
	const found = isRecord(value) ? value[field] : undefined;
	// Go writes null for a list without elements.
	if (found === null && isRecord(value)) return [];
	if (!Array.isArray(found)) throw new Error(`the answer is no discovery: ${field} is no list`);
	return found;
}

function text(fields: Fields, field: string, otherwise?: string): string {
	const found = fields[field] ?? otherwise;
	if (typeof found !== "string") throw new Error(`the answer is no discovery: ${field} is no text`);
	return found;
}

function texts(fields: Fields, field: string): string[] {
	return list(fields, field).map((one) => {
		if (typeof one !== "string") throw new Error(`the answer is no discovery: ${field} has an element that is no text`);
		return one;
	});
}
