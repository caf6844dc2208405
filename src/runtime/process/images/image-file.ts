/** The user's own image table: a YAML file that may be created and changed at any time. */

import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../../../core/errors.ts";
import { yamlLibrary } from "../../../core/text/yaml-library.ts";
import type { ImageEntry } from "./builtin-images.ts";

export interface ImageFile {
	/** The file's current entries. An invalid entry contains its problem; the others apply. */
	entries: readonly ImageEntry[];
	/** A problem with the file as a whole: it has no entries. */
	problem?: string;
}

/**
 * @param path of `image name: { entrypoint: […], args: […], env: {…}, volumes: […], requires: …, workingDir: …, user: … }`;
 * need not exist
 */
export function createImageFile(path: string): () => ImageFile {
	let known = { changedMs: -1, file: { entries: [] } as ImageFile };
	return () => {
		const changedMs = modifiedMs(path);
		if (changedMs === undefined) return { entries: [] };
		if (changedMs !== known.changedMs) known = { changedMs, file: readImageFile(path) };
		return known.file;
	};
}

function readImageFile(path: string): ImageFile {
	try {
		const document: unknown = yamlLibrary().parse(readFileSync(path, "utf8"));
		if (document === null || document === undefined) return { entries: [] };
		if (typeof document !== "object" || Array.isArray(document)) throw new Error("a map of image names is wanted");
		const pairs: [string, unknown][] = Object.entries(document);
		return { entries: pairs.map(([name, value]) => parseEntry(name, value, path)) };
	} catch (error) {
		const [line = ""] = messageOf(error).split("\n");
		return { entries: [], problem: `${path}: ${line}` };
	}
}

/** Never throws: the entry contains its problem. */
function parseEntry(name: string, value: unknown, path: string): ImageEntry {
	const problems: string[] = [];
	const wrong = (key: string, wanted: string) => problems.push(`${path}: ${name}${key}: ${wanted} is wanted`);
	const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
	if (!isMap) wrong("", "a map");
	const fields: Record<string, unknown> = isMap ? { ...value } : {};
	const words = (key: string): string[] => {
		const list = fields[key] ?? [];
		if (Array.isArray(list)) return list.map(String);
		wrong(`.${key}`, "a list");
		return [];
	};
	const word = (key: string): string | undefined => {
		const text = fields[key];
		if (text !== undefined && typeof text !== "string") wrong(`.${key}`, "a string");
		return typeof text === "string" ? text : undefined;
	};
	const settings = fields["env"] ?? {};
	if (typeof settings !== "object" || Array.isArray(settings)) wrong(".env", "a map");
	const env = typeof settings === "object" && settings !== null ? Object.entries(settings) : [];
	const [requires, workingDir, user] = [word("requires"), word("workingDir"), word("user")];
	const entry: ImageEntry = {
		names: [name],
		entrypoint: words("entrypoint"),
		args: words("args"),
		env: Object.fromEntries(env.map(([key, setting]) => [key, String(setting)])),
		volumes: words("volumes"),
		...(requires === undefined ? {} : { requires }),
		...(workingDir === undefined ? {} : { workingDir }),
		...(user === undefined ? {} : { user }),
	};
	const known = ["entrypoint", "args", "env", "volumes", "requires", "workingDir", "user"];
	for (const key of Object.keys(fields))
		if (!known.includes(key)) problems.push(`${path}: ${name}: unknown field ${key}`);
	return problems.length === 0 ? entry : Object.assign(entry, { problem: problems.join("; ") });
}

function modifiedMs(path: string): number | undefined {
	try {
		return statSync(path).mtimeMs;
	} catch {
		return undefined;
	}
}
