/** CustomResourceDefinitions from files and folders, for those who start a cluster with them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { isRecord } from "../../core/object.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";

/** The path of a file or folder with definitions, or a definition. */
export type DefinitionSource = string | object;

/** A definition, which the API has not checked yet. */
export interface DefinitionDraft {
	/** A file, or `crds[2]`; for messages. */
	readonly source: string;
	readonly object: { metadata: { name: string } } & Record<string, unknown>;
}

const kind = "CustomResourceDefinition";
const fileNames = /\.(ya?ml|json)$/i;

/**
 * All definitions of the sources, in order. A folder stands for its files `*.yaml`, `*.yml` and `*.json`, in the order
 * of their names and without subfolders, as for `kubectl apply -f`. Documents of other kinds are skipped.
 * @throws Error that names the source: nothing there, no YAML, or no definition in it
 */
export function readDefinitions(sources: readonly DefinitionSource[]): DefinitionDraft[] {
	return sources.flatMap((source, index) => {
		const place = typeof source === "string" ? source : `crds[${index}]`;
		const found = typeof source === "string" ? fromPath(source) : fromDocuments(place, [source]);
		if (found.length === 0) throw new Error(`${place}: there is no ${kind} in it`);
		return found;
	});
}

function fromPath(path: string): DefinitionDraft[] {
	if (!isFolder(path)) return fromFile(path);
	const names = readdirSync(path).filter((name) => fileNames.test(name));
	return names
		.sort()
		.map((name) => join(path, name))
		.filter((file) => !isFolder(file))
		.flatMap(fromFile);
}

function isFolder(path: string): boolean {
	try {
		return statSync(path).isDirectory();
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException; // what statSync throws
		throw new Error(`${path}: ${code === "ENOENT" ? "there is no such file or folder" : messageOf(error)}`);
	}
}

function fromFile(path: string): DefinitionDraft[] {
	const documents = yamlLibrary().parseAllDocuments(readFileSync(path, "utf8"));
	const values = [...documents].map((document) => {
		const [problem] = document.errors;
		// The first line says what is wrong and where; the others show it.
		if (problem !== undefined) throw new Error(`${path}: it is not YAML: ${problem.message.split("\n")[0]}`);
		return document.toJS() as unknown;
	});
	return fromDocuments(path, values);
}

function fromDocuments(source: string, documents: readonly unknown[]): DefinitionDraft[] {
	return documents.flatMap((document) => {
		if (!isRecord(document)) return [];
		const { kind: found, items, metadata } = document;
		if (typeof found === "string" && found.endsWith("List") && Array.isArray(items))
			return fromDocuments(source, items);
		if (found !== kind) return [];
		if (!isRecord(metadata) || typeof metadata["name"] !== "string")
			throw new Error(`${source}: ${kind}: metadata.name is missing`);
		// Checked above; the API checks the rest.
		return [{ source, object: document as DefinitionDraft["object"] }];
	});
}
