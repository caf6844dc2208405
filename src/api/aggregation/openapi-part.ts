/** The part of an extension API server's OpenAPI v2 document that is about one group version. */
import { isRecord } from "../../core/object.ts";

/** With the definitions that its paths refer to, and no others. */
export interface OpenApiPart {
	paths: Readonly<Record<string, unknown>>;
	definitions: Readonly<Record<string, unknown>>;
}

/** @param prefix `/apis/wardle.example.com/v1alpha1/` @returns undefined for what is no such document */
export function openApiPart(document: unknown, prefix: string): OpenApiPart | undefined {
	if (!isRecord(document) || !isRecord(document["paths"])) return undefined;
	const all = isRecord(document["definitions"]) ? document["definitions"] : {};
	const paths = Object.fromEntries(Object.entries(document["paths"]).filter(([path]) => path.startsWith(prefix)));
	const definitions: Record<string, unknown> = {};
	const wanted = [...referencesIn(paths)];
	for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
		if (Object.hasOwn(definitions, name) || !Object.hasOwn(all, name)) continue;
		definitions[name] = all[name];
		wanted.push(...referencesIn(all[name]));
	}
	return { paths, definitions };
}

const reference = "#/definitions/";

/** Names of definitions. */
function* referencesIn(value: unknown): Iterable<string> {
	// A list of what is left to look at: documents may be nested deeply.
	const left: unknown[] = [value];
	while (left.length > 0) {
		const one = left.pop();
		if (Array.isArray(one)) for (const item of one) left.push(item);
		else if (isRecord(one))
			for (const [key, item] of Object.entries(one)) {
				if (key === "$ref" && typeof item === "string" && item.startsWith(reference))
					yield item.slice(reference.length);
				else left.push(item);
			}
	}
}
