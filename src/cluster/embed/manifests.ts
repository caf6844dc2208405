/** Manifests of an embedded cluster: applies YAML or objects on the server. */
import type { Client } from "../../client/client.ts";
import type { KubeObject } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import { customResourceDefinitions } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { type Kind, qualifiedResource } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";

/** YAML (one or more documents), an object, or several; a List is replaced by its items. */
export type Manifest = string | object | readonly object[];

export interface ApplyOptions {
	/** For objects without a namespace. Default `default`. */
	namespace?: string;
	/** The manager of the applied fields. Default `coxswain`. */
	fieldManager?: string;
	/** How to handle unknown fields. Default `Strict`: an error. */
	fieldValidation?: "Strict" | "Warn" | "Ignore";
}

interface ManifestObject {
	apiVersion: string;
	kind: string;
	metadata: { name?: string; generateName?: string; namespace?: string };
}

/**
 * Server-side apply of each object in turn; an object with generateName is created.
 * @param settled waits until a definition is served or its names are rejected
 * @returns the resulting objects
 */
export async function applyManifest(
	client: Client,
	registry: Registry,
	manifest: Manifest,
	{ settled, ...options }: ApplyOptions & { settled(definition: string): Promise<unknown> },
): Promise<KubeObject[]> {
	const applied: KubeObject[] = [];
	for (const object of manifestObjects(manifest)) {
		const made = await applyOne(client, registry, object, options);
		applied.push(made);
		if (made.kind === customResourceDefinitions.kind) await settled(made.metadata.name);
	}
	return applied;
}

/** Deletes each object, last first, in the background; skips objects that do not exist. */
export function manifestRefs(
	registry: Registry,
	manifest: Manifest,
	namespace = "default",
): { kind: Kind; namespace?: string; name: string }[] {
	return manifestObjects(manifest).map((object) => {
		const kind = kindOf(registry, object);
		const { name = "" } = object.metadata;
		return kind.namespaced ? { kind, namespace: object.metadata.namespace ?? namespace, name } : { kind, name };
	});
}

async function applyOne(client: Client, registry: Registry, object: ManifestObject, options: ApplyOptions) {
	const kind = kindOf(registry, object);
	const { name } = object.metadata;
	const namespace = kind.namespaced ? (object.metadata.namespace ?? options.namespace ?? "default") : undefined;
	const complete = {
		...object,
		metadata: { ...object.metadata, ...(namespace === undefined ? {} : { namespace }) },
	};
	if (name === undefined) return client.create(kind, complete);
	return client.patch(
		kind,
		{ name, ...(namespace === undefined ? {} : { namespace }) },
		{
			type: "apply",
			object: complete,
			fieldManager: options.fieldManager ?? "coxswain",
			force: true,
			fieldValidation: options.fieldValidation ?? "Strict",
		},
	);
}

/** The kind in the manifest's version: an older version has its own paths. */
function kindOf(registry: Registry, { apiVersion, kind, metadata }: ManifestObject): Kind {
	const found = registry.kind(apiVersion, kind);
	if (found === undefined) throw new Error(`${describe(kind, metadata)}: there is no kind ${kind} in ${apiVersion}`);
	return found.served === undefined
		? found.kind
		: { ...found.kind, group: found.served.group, version: found.served.version };
}

function manifestObjects(manifest: Manifest): ManifestObject[] {
	const documents = typeof manifest === "string" ? yamlDocuments(manifest) : [manifest].flat();
	return documents.flatMap((document) => {
		const { apiVersion, kind, metadata, items } = document as Partial<ManifestObject> & { items?: unknown };
		if (kind?.endsWith("List") && Array.isArray(items)) return manifestObjects(items as object[]);
		if (typeof apiVersion !== "string" || typeof kind !== "string")
			throw new Error(`a manifest needs apiVersion and kind: ${JSON.stringify(document).slice(0, 200)}`);
		const { name, generateName } = metadata ?? {};
		if (name === undefined && generateName === undefined) throw new Error(`${kind}: metadata.name is missing`);
		if (name !== undefined && typeof name !== "string")
			throw new Error(`${kind}: metadata.name is no text: ${JSON.stringify(name)}`);
		// Checked above; the API validates the rest.
		return [document as ManifestObject];
	});
}

function yamlDocuments(text: string): object[] {
	const documents: object[] = [];
	for (const document of yamlLibrary().parseAllDocuments(text)) {
		if ("errors" in document && document.errors[0] !== undefined) throw document.errors[0];
		const value: unknown = document.toJS();
		if (typeof value === "object" && value !== null) documents.push(value);
	}
	return documents;
}

function describe(kind: string, { name, generateName }: ManifestObject["metadata"]): string {
	return `${kind} ${name ?? `${generateName}…`}`;
}

/** `deployments.apps web` in `shop`, for messages. */
export function nameOf(kind: Kind, ref: { namespace?: string; name: string }): string {
	return `${qualifiedResource(kind)} ${ref.namespace === undefined ? "" : `${ref.namespace}/`}${ref.name}`;
}
