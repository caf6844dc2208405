/** Files that options of `cox up` name, with plain error messages. */
import { readFileSync, statSync } from "node:fs";
import { yamlLibrary } from "../../core/text/yaml-library.ts";

/** They are passed on a command line, or in a control request. */
const longestBytes = 64 * 1024;

/**
 * The YAML or JSON document in a file, and its meaning.
 * @param read throws for unsupported content
 * @throws Error that names the option, the file and the problem
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

/** @throws Error that names the option, the file and why it cannot be read */
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
	// The first line describes the problem and its position; the others show it.
	if (error instanceof yamlLibrary().YAMLParseError)
		return `it is not YAML: ${error.message.split("\n")[0]?.replace(/:$/, "")}`;
	const { code }: NodeJS.ErrnoException = error;
	if (code === "ENOENT") return "there is no such file";
	if (code === "EACCES") return "it may not be read";
	return error.message;
}
