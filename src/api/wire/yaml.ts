/** Reads YAML of clients: its first document, within the limits of every body. */
import type { Document, LineCounter, Node, Parser, Scalar, YAMLMap } from "yaml";
import { ApiError } from "../../core/errors.ts";
import { checkJsonBytes, deepestNesting, tooDeep } from "../../core/text/json-limits.ts";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import { wellFormed } from "../../core/validation/well-formed.ts";

/**
 * Words, signs, spaces and line ends that a text may consist of: reading one takes microseconds. JSON is read much
 * faster.
 */
const mostLexemes = 50_000;
/** As many as of JSON are listed. */
const mostRepeatedKeys = 100;
/** How much the aliases of a document may stand for, for each thing that an anchor names; the library's default. */
const aliasLimit = 100;

export interface Yaml {
	value: unknown;
	/** For each key that its mapping has already, what upstream's reader says. */
	repeatedKeys: readonly string[];
}

/** Only the value. @throws ApiError BadRequest, RequestEntityTooLarge */
export function parseYaml(bytes: Uint8Array): unknown {
	return readYaml(bytes).value;
}

/**
 * The value of the first document, undefined when there is none. JSON is YAML, too, and is read as what it is.
 * @throws ApiError BadRequest, RequestEntityTooLarge
 */
export function readYaml(bytes: Uint8Array): Yaml {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
	if (/^\s*\{/.test(text)) {
		checkJsonBytes(bytes);
		try {
			return { value: wellFormed(JSON.parse(text), text), repeatedKeys: [] };
		} catch {
			// It is a mapping in YAML's own way of writing them.
		}
	}
	const lines = new (yamlLibrary().LineCounter)();
	lines.addNewLine(0);
	const document = firstDocument(text, lines);
	if (document === undefined) return { value: undefined, repeatedKeys: [] };
	const problem = document.errors[0];
	if (problem !== undefined) throw unreadable(problem.message.split("\n")[0] ?? "", lines.linePos(problem.pos[0]).line);
	const repeatedKeys = checkKeys(document, lines);
	try {
		return { value: wellFormed(document.toJS({ maxAliasCount: aliasLimit }), text), repeatedKeys };
	} catch (error) {
		// Of an alias without an anchor, and of aliases that multiply.
		if (error instanceof ReferenceError) throw unreadable(aliasProblem(error.message));
		throw error;
	}
}

function firstDocument(text: string, lines: LineCounter): Document | undefined {
	const { Composer } = yamlLibrary();
	const composer = new Composer({ version: "1.1", uniqueKeys: false, merge: true, schema: "core" });
	for (const document of composer.compose(boundedTokens(text, lines))) return document;
	return undefined;
}

/** The syntax of a text as far as it is read: what follows the first document costs nothing. */
function* boundedTokens(text: string, lines: LineCounter): ReturnType<Parser["parse"]> {
	const { Lexer, Parser } = yamlLibrary();
	const parser = new Parser(lines.addNewLine);
	let lexemeCount = 0;
	for (const lexeme of new Lexer().lex(text)) {
		if (++lexemeCount > mostLexemes)
			throw new ApiError(
				"RequestEntityTooLarge",
				"Request entity too large: send what is as large as this in JSON",
				{},
			);
		yield* parser.next(lexeme);
		if (parser.stack.length > deepestNesting) throw tooDeep();
	}
	yield* parser.end();
}

/** @returns the complaints about keys that a mapping has twice, of which the last one counts */
function checkKeys(document: Document, lines: LineCounter): string[] {
	const repeated: string[] = [];
	yamlLibrary().visit(document, {
		Map(_, mapping) {
			refuseStructuredKeys(mapping);
			const seen = new Set<unknown>();
			for (const { key, value } of mapping.items as { key: Scalar; value: Node | null }[]) {
				if (seen.has(key.value) && repeated.length < mostRepeatedKeys) {
					// Upstream names the line of the value.
					const { line } = lines.linePos((value ?? key).range?.[0] ?? 0);
					repeated.push(`line ${line}: key ${JSON.stringify(key.value)} already set in map`);
				}
				if (key.value !== "<<") seen.add(key.value);
			}
		},
	});
	return repeated;
}

/** JSON has no such keys, and the library writes each out as text, which can double with every level. */
function refuseStructuredKeys({ items }: YAMLMap): void {
	const { isAlias, isCollection } = yamlLibrary();
	// Whatever is a key is a node.
	for (const { key } of items)
		if (isCollection(key as Node) || isAlias(key as Node)) throw unreadable("invalid map key");
}

function aliasProblem(message: string): string {
	return message.startsWith("Excessive") ? "document contains excessive aliasing" : message;
}

function unreadable(why: string, line?: number): ApiError {
	const where = line === undefined ? "" : ` line ${line}:`;
	return new ApiError(
		"BadRequest",
		`couldn't get version/kind; json parse error: error converting YAML to JSON: yaml:${where} ${why}`,
	);
}
