/** Files that options of `cox up` name, with what is wrong with them in plain words. */
import { readFileSync, statSync } from "node:fs";
import { yamlLibrary } from "../../core/yaml-library.ts";

/** They travel on a command line, or with a control request. */
const longestBytes = 64 * 1024;

/**
 * The YAML or JSON document in a file, and what it means.
 * @param read throws for what cannot be heeded
 * @throws Error naming the option, the file and what is wrong
 */
export function readOptionFile<T>(
	option: string,
	path: string,
	read: (document: unknown) => T,
): { document: unknown; text: string; meaning: T } {
	try {
		const content = text(path);
		const document: unknown = yamlLibrary().parse(content);
		return { document, text: content, meaning: read(document) };
	} catch (error) {
		throw new Error(`${option} ${path}: ${reason(error)}`);
	}
}

/** @throws Error naming the option, the file and why it cannot be read */
export function readOptionText(option: string, path: string): string {
	try {
		return text(path);
	} catch (error) {
		throw new Error(`${option} ${path}: ${reason(error)}`);
	}
}

function text(path: string): string {
	const stats = statSync(path);
	if (!stats.isFile()) throw new Error("it is not a file");
	if (stats.size > longestBytes) throw new Error(`it has more than ${longestBytes} bytes`);
	return readFileSync(path, "utf8");
}

function reason(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	// The first line says what and where; the others show the place.
	if (error instanceof yamlLibrary().YAMLParseError)
		return `it is not YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`;
	const { code }: NodeJS.ErrnoException = error;
	if (code === "ENOENT") return "there is no such file";
	if (code === "EACCES") return "it may not be read";
	return error.message;
}
