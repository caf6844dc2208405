/** Creates CustomResourceDefinitions and waits until their resources are served. */
import { ApiError, isReason } from "../core/errors.ts";
import { customResourceDefinitions } from "../kinds/apiextensions/customresourcedefinition.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import type { CustomResourceDefinition } from "../kinds/generated/types.ts";
import type { Client } from "./client.ts";
import { waitForList } from "./wait.ts";

export interface DefinitionToEstablish {
	/** For messages. */
	readonly source: string;
	readonly object: { metadata: { name: string } } & Record<string, unknown>;
}

/**
 * Resolves when all definitions are established; one that exists is replaced. Event-driven.
 * @throws Error that names the source of a definition that the API rejects, or whose names are taken
 */
export async function establishDefinitions(
	client: Client,
	definitions: readonly DefinitionToEstablish[],
	options: { signal: AbortSignal },
): Promise<void> {
	await Promise.all(definitions.map((definition) => write(client, definition)));
	const sources = new Map(definitions.map(({ source, object }) => [object.metadata.name, source]));
	await waitForList(
		client,
		customResourceDefinitions,
		{},
		(list) => {
			const ours = list.filter(({ metadata }) => sources.has(metadata.name));
			for (const one of ours) refuseTakenNames(one, sources.get(one.metadata.name) ?? "");
			return ours.length === sources.size && ours.every((one) => condition(one, "Established")?.status === "True");
		},
		options,
	);
}

async function write(client: Client, { source, object }: DefinitionToEstablish): Promise<void> {
	const kind = kindFor(object);
	// The API checks what a file contains.
	const definition = object as unknown as CustomResourceDefinition;
	try {
		await client.create(kind, definition);
	} catch (error) {
		if (!isReason(error, "AlreadyExists")) throw rejected(source, error);
		const { resourceVersion } = (await client.get(kind, definition.metadata)).metadata;
		const replacement = { ...definition, metadata: { ...definition.metadata, resourceVersion } };
		await client.update(kind, replacement).catch((failure: unknown) => {
			throw rejected(source, failure);
		});
	}
}

/** In the version of the file: v1beta1 has a form, and a path, of its own. */
function kindFor({ apiVersion }: DefinitionToEstablish["object"]): Kind<CustomResourceDefinition> {
	const version = String(apiVersion).split("/")[1] ?? customResourceDefinitions.version;
	return { ...customResourceDefinitions, version };
}

function refuseTakenNames(definition: CustomResourceDefinition, source: string): void {
	const names = condition(definition, "NamesAccepted");
	if (names?.status !== "False") return;
	throw new Error(`${source}: ${definition.metadata.name} is not served: ${names.reason}: ${names.message}`);
}

function condition({ status }: CustomResourceDefinition, type: string) {
	return status?.conditions?.find((one) => one.type === type);
}

function rejected(source: string, error: unknown): unknown {
	return error instanceof ApiError ? new Error(`${source}: ${error.message}`, { cause: error }) : error;
}
