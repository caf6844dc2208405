/** Reads YAML of clients: its first document, within the limits of every body. */
import type { Document, Node, Parser } from "yaml";
import { ApiError } from "../../core/errors.ts";
import { checkJsonBytes, deepestNesting, tooDeep } from "../../core/json-limits.ts";
import { wellFormed } from "../../core/well-formed.ts";
import { yamlLibrary } from "../../core/yaml-library.ts";

/**
 * Words, signs, spaces and line ends that a text may consist of: reading one takes microseconds. JSON is read much
 * faster.
 */
const mostLexemes = 50_000;
/** How much the aliases of a document may stand for, for each thing that an anchor names; the library's default. */
const aliasLimit = 100;

/**
 * The value of the first document, undefined when there is none. JSON is YAML, too, and is read as what it is.
 * @throws ApiError BadRequest, RequestEntityTooLarge
 */
export function parseYaml(bytes: Uint8Array): unknown {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
	if (/^\s*\{/.test(text)) {
		checkJsonBytes(bytes);
		try {
			return wellFormed(JSON.parse(text), text);
		} catch {
			// It is a mapping in YAML's own way of writing them.
		}
	}
	const document = firstDocument(text);
	if (document === undefined) return undefined;
	const problem = document.errors[0];
	if (problem !== undefined) throw unreadable(problem.message.split("\n")[0] ?? "", problem.linePos?.[0].line);
	refuseStructuredKeys(document);
	try {
		return wellFormed(document.toJS({ maxAliasCount: aliasLimit }), text);
	} catch (error) {
		// Of an alias without an anchor, and of aliases that multiply.
		if (error instanceof ReferenceError) throw unreadable(aliasProblem(error.message));
		throw error;
	}
}

function firstDocument(text: string): Document | undefined {
	const { Composer } = yamlLibrary();
	const composer = new Composer({ version: "1.1", uniqueKeys: false, merge: true, schema: "core" });
	for (const document of composer.compose(boundedTokens(text))) return document;
	return undefined;
}

/** The syntax of a text as far as it is read: what follows the first document costs nothing. */
function* boundedTokens(text: string): ReturnType<Parser["parse"]> {
	const { Lexer, Parser } = yamlLibrary();
	const parser = new Parser();
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

/** JSON has no such keys, and the library writes each out as text, which can double with every level. */
function refuseStructuredKeys(document: Document): void {
	const { isAlias, isCollection, visit } = yamlLibrary();
	visit(document, {
		Pair(_, { key }) {
			// Whatever is a key is a node.
			if (isCollection(key as Node) || isAlias(key as Node)) throw unreadable("invalid map key");
		},
	});
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
