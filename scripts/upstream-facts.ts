/**
 * `npx tsx scripts/upstream-facts.ts DIRECTORY`: takes out of upstream's published documents what test/upstream/
 * compares ours with, and writes it to test/upstream/facts/, one entry a line, so that a newer version shows what has
 * changed. The directory holds `swagger.json`, `openapi-v3/` and `discovery/`, as an API server of the version serves
 * them at /openapi/v2, /openapi/v3/… and /api, /apis.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Definition, definitionForm, mapValues, type Operation, operationForm } from "../test/upstream/forms.ts";

/** Documents of OpenAPI v3 that are compared; the others have the same definitions again. */
const groupVersions = ["api/v1", "apis/apps/v1", "apis/batch/v1"];

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error("usage: upstream-facts.ts DIRECTORY");
const target = join(import.meta.dirname, "../test/upstream/facts");
mkdirSync(target, { recursive: true });

const { definitions, paths } = read<{
	definitions: Record<string, Definition>;
	paths: Record<string, Record<string, Operation>>;
}>("swagger.json");
write("definitions", mapValues(definitions, definitionForm));
write(
	"operations",
	// `parameters` stands among the methods of a path.
	mapValues(paths, ({ parameters: _, ...methods }) => mapValues(methods, operationForm)),
);
const schemas = groupVersions.map((path) => {
	const file = `openapi-v3/${path.replaceAll("/", "__")}_openapi.json`;
	return read<{ components: { schemas: Record<string, Definition> } }>(file).components.schemas;
});
write("definitions-v3", mapValues(Object.assign({}, ...schemas), definitionForm));
const documents = readdirSync(join(source, "discovery")).map((name) => [name.replace(/\.json$/, ""), name] as const);
write("discovery", Object.fromEntries(documents.map(([key, name]) => [key, read(`discovery/${name}`)])));

function read<T>(name: string): T {
	return JSON.parse(readFileSync(join(source ?? "", name), "utf8")) as T;
}

function write(name: string, entries: Record<string, unknown>): void {
	const lines = Object.entries(entries).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
	writeFileSync(join(target, `${name}.json`), `{\n${lines.join(",\n")}\n}\n`);
}
