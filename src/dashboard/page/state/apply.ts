/** Manifests, applied as `kubectl apply --server-side` does it. */
import { parseAllDocuments } from "yaml";
import { messageOf } from "../../../core/errors.ts";
import { applyPatch, get } from "./api.ts";

interface Manifest {
	apiVersion: string;
	kind: string;
	metadata: { name: string; namespace?: string };
}

interface ResourceList {
	resources: { name: string; kind: string; namespaced: boolean }[];
}

export interface Applied {
	/** `Deployment/web` */
	name: string;
	/** What the server refused; undefined: nothing. */
	problem?: string;
}

/** By apiVersion. */
const known = new Map<string, Promise<ResourceList>>();

/**
 * Applies YAML or JSON documents in their order; one that is refused does not keep back the others.
 * @param namespace for objects that name none
 * @param dryRun the server only checks them
 * @throws Error if the text is no YAML, or a document is no manifest
 */
export async function applyManifests(text: string, namespace: string, dryRun = false): Promise<Applied[]> {
	const applied: Applied[] = [];
	for (const manifest of manifestsIn(text)) {
		const name = `${manifest.kind}/${manifest.metadata.name}`;
		try {
			const path = await pathFor(manifest, namespace);
			const query = `?fieldManager=cox-dashboard&force=true&fieldValidation=Strict${dryRun ? "&dryRun=All" : ""}`;
			await applyPatch(`${path}${query}`, manifest);
			applied.push({ name });
		} catch (error) {
			applied.push({ name, problem: messageOf(error) });
		}
	}
	return applied;
}

function manifestsIn(text: string): Manifest[] {
	return parseAllDocuments(text).flatMap((document) => {
		const [problem] = document.errors;
		if (problem !== undefined) throw problem;
		const value = document.toJS({ maxAliasCount: 100 }) as (Partial<Manifest> & { items?: unknown[] }) | null;
		if (value === null) return [];
		const all = value.kind === "List" ? (value.items ?? []) : [value];
		return all.map(manifestOf);
	});
}

function manifestOf(value: unknown): Manifest {
	const { apiVersion, kind, metadata } = value as Partial<Manifest>;
	if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof metadata?.name !== "string")
		throw new Error("expected a manifest with apiVersion, kind and metadata.name");
	return value as Manifest;
}

async function pathFor({ apiVersion, kind, metadata }: Manifest, namespace: string): Promise<string> {
	const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
	const list = known.get(root) ?? (get(root) as Promise<ResourceList>);
	known.set(root, list);
	const { resources } = await list.catch((error: unknown) => {
		known.delete(root);
		throw error;
	});
	const resource = resources.find((one) => one.kind === kind && !one.name.includes("/"));
	if (resource === undefined) {
		// It may be defined later.
		known.delete(root);
		throw new Error(`there is no kind ${kind} in ${apiVersion}`);
	}
	const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : "";
	return `${root}${scope}/${resource.name}/${encodeURIComponent(metadata.name)}`;
}
