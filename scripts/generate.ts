/**
 * Writes src/kinds/generated/ from the models of `@kubernetes/client-node` (no npm package ships the OpenAPI document):
 * - types.ts: an interface for each type, used at compile time only;
 * - schemas.json: type → field → how its value is decoded, read by kinds/builtin-schemas.ts;
 * - descriptions.json: type → documentation, read only when someone asks for OpenAPI.
 * The models lack merge keys and quantities: src/kinds/facts.ts adds those.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fieldFacts } from "../src/kinds/facts.ts";
import { fieldDefaults, objectsAlwaysThere } from "../src/kinds/facts-defaults.ts";

interface Field {
	type: string;
	of?: "array" | "map" | "arrayMap";
	required?: true;
	[fact: string]: unknown;
}
interface Model {
	description: string;
	fields: Record<string, Field>;
	fieldDescriptions: Record<string, string>;
}

const root = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "..");
const modelsFolder = join(
	dirname(createRequire(import.meta.url).resolve("@kubernetes/client-node/package.json")),
	"dist/gen/models",
);
const outputFolder = join(root, "src/kinds/generated");

/** Types that are served though they are not stable. */
const betaModel = /^V1beta1(ClusterTrustBundle(?:List|Spec)?)$/;

/**
 * `V1PodSpec` → `PodSpec`, `CoreV1Event` → `Event`, `EventsV1Event` → `EventsEvent`; other versions keep their prefix.
 */
function typeName(model: string): string {
	const beta = betaModel.exec(model)?.[1];
	if (beta !== undefined) return beta;
	const match = /^([A-Z][a-z]+)?V1([A-Z].*)$/.exec(model);
	if (match === null) return model;
	return `${match[1] === undefined || match[1] === "Core" ? "" : match[1]}${match[2]}`;
}

/** The models write long documentation as one comment line with escaped quotes. */
function plainText(comment: string): string {
	return comment
		.replace(/\\(['"`\\])/g, "$1")
		.replace(/&lt;/g, "<")
		.replace(/&gt;/g, ">")
		.trim();
}

const scalars: Record<string, string> = {
	string: "string",
	number: "number",
	boolean: "boolean",
	any: "any",
	Date: "time",
	V1MicroTime: "microTime",
	IntOrString: "intOrString",
	Set: "any",
};

function fieldType(source: string, format: string): Field {
	let match = /^Array<(.*)>$/.exec(source);
	if (match?.[1] !== undefined) return { ...fieldType(match[1], format), of: "array" };
	match = /^\{ \[key: string\]: (.*); \}$/.exec(source);
	if (match?.[1] !== undefined) {
		const value = fieldType(match[1], format);
		return { ...value, of: value.of === "array" ? "arrayMap" : "map" };
	}
	const scalar = scalars[source];
	if (scalar === "number")
		return { type: format === "double" || format === "float" ? "number" : format === "int64" ? "int64" : "int32" };
	if (scalar === "string" && format === "byte") return { type: "bytes" };
	if (scalar !== undefined) return { type: scalar };
	return { type: typeName(source) };
}

function readModel(model: string): Model | undefined {
	const declaration = readFileSync(join(modelsFolder, `${model}.d.ts`), "utf8");
	const code = readFileSync(join(modelsFolder, `${model}.js`), "utf8");
	const table = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(code);
	if (table?.[1] === undefined) return undefined;
	const attributes: { name: string; baseName: string; type: string; format: string }[] = JSON.parse(table[1]);
	const body = declaration.slice(declaration.indexOf("export declare class"));
	const description = /\/\*\*\s*\n\* ([^\n]*)\n\*\/\s*\nexport declare class/.exec(declaration)?.[1] ?? "";
	const fields: Model["fields"] = {};
	const fieldDescriptions: Model["fieldDescriptions"] = {};
	for (const attribute of attributes) {
		const line = new RegExp(
			`(?:/\\*\\*\\s*\\n\\s*\\* ([^\\n]*)\\n\\s*\\*/\\s*\\n\\s*)?'${attribute.name.replace(/\$/g, "\\$")}'(\\??):`,
		).exec(body);
		const field = fieldType(attribute.type, attribute.format);
		if (line?.[2] === "") field.required = true;
		const { quantity, type, ...facts } = fieldFacts[`${typeName(model)}.${attribute.baseName}`] ?? {};
		if (quantity) field.type = "quantity";
		if (type !== undefined) field.type = type;
		// A fact about a whole type holds for every single value and every list item of it.
		const ofType = field.of === undefined || field.of === "array" ? fieldFacts[field.type] : undefined;
		fields[attribute.baseName] = { ...field, ...ofType, ...facts, ...defaultOf(typeName(model), attribute.baseName) };
		if (line?.[1] !== undefined) fieldDescriptions[attribute.baseName] = plainText(line[1]);
	}
	return { description: plainText(description), fields, fieldDescriptions };
}

function defaultOf(type: string, field: string): { default?: unknown } {
	if (objectsAlwaysThere[type]?.split(" ").includes(field)) return { default: {} };
	const value = fieldDefaults[`${type}.${field}`];
	return value === undefined ? {} : { default: value };
}

const typescript: Record<string, string> = {
	string: "string",
	bytes: "string",
	quantity: "string",
	time: "string",
	microTime: "string",
	boolean: "boolean",
	number: "number",
	int32: "number",
	int64: "number",
	any: "unknown",
	intOrString: "number | string",
	JSONSchemaPropsOrArray: "JSONSchemaProps | JSONSchemaProps[]",
	JSONSchemaPropsOrBool: "JSONSchemaProps | boolean",
	JSONSchemaPropsOrStringArray: "JSONSchemaProps | string[]",
};

function typescriptType(field: Field): string {
	const item = typescript[field.type] ?? (field.type === "ObjectMeta" ? "Partial<ObjectMeta>" : field.type);
	if (field.of === "array") return item.includes("|") ? `(${item})[]` : `${item}[]`;
	if (field.of === "map") return `Record<string, ${item}>`;
	if (field.of === "arrayMap") return `Record<string, ${item}[]>`;
	return item;
}

/** A kind has apiVersion, kind and object metadata; once decoded it always has them, and its spec. */
function isKind(model: Model): boolean {
	return model.fields.kind !== undefined && model.fields.metadata?.type === "ObjectMeta";
}

function interfaceText(name: string, model: Model): string {
	const lines = Object.entries(model.fields).map(([field, schema]) => {
		const kindField = isKind(model) && ["apiVersion", "kind", "metadata"].includes(field);
		const required = schema.required || kindField || field === "spec";
		const type = kindField && field === "metadata" ? "ObjectMeta" : typescriptType(schema);
		return `\t${/^[A-Za-z_]\w*$/.test(field) ? field : JSON.stringify(field)}${required ? "" : "?"}: ${type};`;
	});
	return `export interface ${name} {\n${lines.join("\n")}\n}\n`;
}

const models = new Map<string, Model>();
for (const file of readdirSync(modelsFolder)) {
	const name = /^([A-Za-z0-9]*?V(?:1|2)[A-Z]\w*|V1beta1\w*)\.d\.ts$/.exec(file)?.[1];
	if (name === undefined || name === "V1MicroTime") continue;
	if (name.startsWith("V1beta1") && !betaModel.test(name)) continue;
	const model = readModel(name);
	if (model !== undefined) models.set(typeName(name), model);
}
// Without a field there is no model.
models.set("CustomResourceSubresourceStatus", {
	description: "CustomResourceSubresourceStatus turns the status subresource on.",
	fields: {},
	fieldDescriptions: {},
});
// A beta type that a stable one refers to comes along as an open object.
const known = new Set([...models.keys(), ...Object.keys(typescript)]);
for (const model of models.values())
	for (const field of Object.values(model.fields)) if (!known.has(field.type)) field.type = "any";

mkdirSync(outputFolder, { recursive: true });
const names = [...models.keys()].sort();
const header = "// Generated by scripts/generate.ts. Do not edit.\n";
const types = names
	.filter((name) => !["ObjectMeta", "OwnerReference", "ManagedFieldsEntry"].includes(name))
	.map((name) => interfaceText(name, models.get(name) as Model));
writeFileSync(
	join(outputFolder, "types.ts"),
	`${header}import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../../core/object.ts";\nexport type { ManagedFieldsEntry, ObjectMeta, OwnerReference };\n\n${types.join("\n")}`,
);
writeFileSync(
	join(outputFolder, "schemas.json"),
	`${JSON.stringify(Object.fromEntries(names.map((name) => [name, models.get(name)?.fields])))}\n`,
);
writeFileSync(
	join(outputFolder, "descriptions.json"),
	`${JSON.stringify(Object.fromEntries(names.map((name) => [name, { description: models.get(name)?.description, fields: models.get(name)?.fieldDescriptions }])))}\n`,
);
console.log(`generated ${names.length} types from @kubernetes/client-node`);
