/** The OpenAPI v2 document of this server together with those of extension API servers. */
import { sameJson } from "../../core/equal.ts";
import { isRecord } from "../../core/object.ts";

export interface Part {
	paths: Readonly<Record<string, unknown>>;
	definitions: Readonly<Record<string, unknown>>;
}

/**
 * Paths of this server stay. Of two definitions with one name and different contents the second gets another, as
 * upstream: `com.example.Flunder_v2`.
 */
export function mergedDocument(own: Part, others: readonly Part[]): Part {
	const paths = { ...own.paths };
	const definitions = { ...own.definitions };
	for (const other of others) {
		const names = new Map<string, string>();
		for (const [name, definition] of Object.entries(other.definitions)) {
			const present = definitions[name];
			if (present !== undefined && !sameJson(present, definition)) names.set(name, freeName(definitions, name));
		}
		const renamed = (value: unknown) => (names.size === 0 ? value : withReferences(value, names));
		for (const [name, definition] of Object.entries(other.definitions))
			definitions[names.get(name) ?? name] ??= renamed(definition);
		for (const [path, item] of Object.entries(other.paths)) paths[path] ??= renamed(item);
	}
	return { ...own, paths, definitions };
}

function freeName(definitions: Readonly<Record<string, unknown>>, name: string): string {
	for (let number = 2; ; number++) if (definitions[`${name}_v${number}`] === undefined) return `${name}_v${number}`;
}

const reference = "#/definitions/";

function withReferences(value: unknown, names: ReadonlyMap<string, string>): unknown {
	if (Array.isArray(value)) return value.map((item) => withReferences(item, names));
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, item]) => {
			if (key !== "$ref" || typeof item !== "string") return [key, withReferences(item, names)];
			const name = item.slice(reference.length);
			return [key, `${reference}${names.get(name) ?? name}`];
		}),
	);
}
