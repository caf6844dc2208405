/** The published schemas: what `kubectl explain` shows, what old clients check manifests by, what generators read. */
import { createHash } from "node:crypto";
import { schemasOfAll } from "../../kinds/builtin-schemas.ts";
import { typeDescriptions } from "../../kinds/engine/described-types.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { ofAllKinds } from "../../kinds/engine/registry.ts";
import { type VirtualResource, virtualResources } from "../discovery/announced-resources.ts";
import type { Kinds } from "../discovery/discovery.ts";
import { servedGroups } from "../discovery/served.ts";
import { convertedDocument } from "./converted.ts";
import { documentV2, documentV3, type Source } from "./documents.ts";
import { encodeV2 } from "./gnostic-v2.ts";
import { encodeV3 } from "./gnostic-v3.ts";
import { mergedDocument, type Part } from "./merged.ts";
import type { Descriptions } from "./schemas.ts";

export interface OpenApiDocument {
	/** Strong, in quotes: for ETag and If-None-Match. The same for all forms; forms differ by content type. */
	etag: string;
	/** What the index calls the document: changes with its content. */
	hash: string;
	json(): Uint8Array;
	/** As gnostic's message `Document`. */
	protobuf(): Uint8Array;
}

export interface OpenApi {
	/** `/openapi/v2` */
	v2(): Promise<OpenApiDocument>;
	/** `/openapi/v3`: path → where its document is; the hash in the address lets clients keep it for good. */
	v3Index(): Promise<OpenApiIndex>;
	/** `/openapi/v3/{path}` with `path` as in the index: `api/v1`, `apis/apps/v1`. */
	v3(path: string): Promise<OpenApiDocument | undefined>;
}

export interface OpenApiIndex {
	paths: Record<string, { serverRelativeURL: string }>;
}

export interface OpenApiOptions {
	/** As reported by `/version`. */
	version: string;
	virtual?: readonly VirtualResource[];
	/** What extension API servers add to the document of v2: the same list until something changes. Default: nothing. */
	parts?: () => Promise<readonly Part[]>;
	/** The addresses of their documents of v3. Default: none. */
	remoteIndex?: () => OpenApiIndex["paths"];
	/** What servers without OpenAPI v3 say in v2, by the names of documents of v3; the same part until it changes. */
	convertible?: () => Promise<ReadonlyMap<string, Part>>;
}

/** Nothing is read or built before someone asks; then each document once for each set of kinds. */
export function openApi(kinds: Kinds, options: OpenApiOptions): OpenApi {
	const { version, virtual = virtualResources, parts = async () => [], remoteIndex = () => ({}) } = options;
	const { convertible = async () => new Map() } = options;
	const current = ofAllKinds(kinds, (all) => ({
		source: descriptionsOf(all).then(
			(descriptions): Source => ({
				groups: servedGroups(all, virtual),
				kinds: all,
				schemas: schemasOfAll(all),
				descriptions,
				version,
			}),
		),
		documents: new Map<string, Promise<OpenApiDocument | undefined>>(),
	}));

	/** A name always refers to the same `build`. */
	function document<T extends OpenApiDocument | undefined>(name: string, build: (source: Source) => T): Promise<T> {
		const { source, documents } = current();
		let built = documents.get(name);
		if (built === undefined) {
			built = source.then(build);
			documents.set(name, built);
		}
		return built as Promise<T>;
	}
	/** Of one group and version: kinds of others may come and go. */
	const kept = new Map<string, { kinds: readonly Kind[]; document: OpenApiDocument | undefined }>();
	const ownV3 = (path: string) =>
		document(path, (from) => {
			const { group, version: wanted } = groupVersion(path);
			const ofGroup = from.kinds.filter((kind) => isServedIn(kind, group));
			const before = kept.get(path);
			if (before !== undefined && sameList(before.kinds, ofGroup)) return before.document;
			const found = documentV3(from, group, wanted);
			const made = found && published(found, encodeV3);
			if (made === undefined) kept.delete(path);
			else kept.set(path, { kinds: ofGroup, document: made });
			return made;
		});

	const converted = new WeakMap<Part, OpenApiDocument>();
	function convertedV3(part: Part): OpenApiDocument {
		let made = converted.get(part);
		if (made === undefined) {
			made = published(convertedDocument(part, version), encodeV3);
			converted.set(part, made);
		}
		return made;
	}
	async function v3(path: string): Promise<OpenApiDocument | undefined> {
		const part = (await convertible()).get(path);
		return part === undefined ? ownV3(path) : convertedV3(part);
	}

	let merged: { own: OpenApiDocument; with: readonly Part[]; document: OpenApiDocument } | undefined;
	async function v2(): Promise<OpenApiDocument> {
		const own = await document("v2", (from) => published(documentV2(from), encodeV2));
		const others = await parts();
		if (others.length === 0) return own;
		if (merged?.own !== own || merged.with !== others) {
			// Made by documents.ts.
			const ownDocument = JSON.parse(Buffer.from(own.json()).toString()) as Part;
			merged = { own, with: others, document: published(mergedDocument(ownDocument, others), encodeV2) };
		}
		return merged.document;
	}

	return {
		v2,
		v3,
		async v3Index() {
			const { groups } = await current().source;
			const paths: Record<string, { serverRelativeURL: string }> = {};
			for (const group of groups)
				for (const { version: served } of group.versions) {
					const path = group.name === "" ? `api/${served}` : `apis/${group.name}/${served}`;
					const found = await ownV3(path);
					if (found !== undefined) paths[path] = { serverRelativeURL: addressOf(path, found) };
				}
			for (const [path, part] of await convertible())
				paths[path] = { serverRelativeURL: addressOf(path, convertedV3(part)) };
			return { paths: { ...paths, ...remoteIndex() } };
		},
	};
}

function addressOf(path: string, { hash }: OpenApiDocument): string {
	return `/openapi/v3/${path}?hash=${hash}`;
}

function isServedIn({ group, servedAs = [] }: Kind, wanted: string): boolean {
	return group === wanted || servedAs.some((served) => served.group === wanted);
}

function sameList(one: readonly Kind[], other: readonly Kind[]): boolean {
	return one.length === other.length && one.every((kind, index) => kind === other[index]);
}

function groupVersion(path: string): { group: string; version: string } {
	const [root, first = "", second = "", ...more] = path.split("/");
	if (root === "api" && second === "") return { group: "", version: first };
	if (root === "apis" && more.length === 0) return { group: first === "" ? "-" : first, version: second };
	return { group: "-", version: "" };
}

/** Over half a megabyte, of use to few requests. */
async function descriptionsOf(kinds: readonly Kind[]): Promise<Descriptions> {
	const loaded = await import("../../kinds/generated/descriptions.json", { with: { type: "json" } });
	// Written by scripts/generate.ts in this form.
	return Object.assign({}, ...kinds.map(({ types = {} }) => typeDescriptions(types)), loaded.default as Descriptions);
}

function published(document: object, encode: (document: object) => Buffer): OpenApiDocument {
	const bytes = Buffer.from(JSON.stringify(document));
	const hash = createHash("sha512").update(bytes).digest("hex").toUpperCase();
	let encoded: Buffer | undefined;
	const protobuf = () => {
		// Few ask for it: what it is made of is not kept.
		encoded ??= encode(JSON.parse(bytes.toString()) as object);
		return encoded;
	};
	return { etag: `"${hash}"`, hash, json: () => bytes, protobuf };
}
