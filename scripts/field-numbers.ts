/**
 * `npx tsx scripts/field-numbers.ts DIRECTORY`: writes src/api/wire/protobuf/field-numbers.json for the types of bodies that
 * are served, one type a line, so that a newer version shows what has changed. The directory's `field-numbers.json` has
 * message → field → [number, type], as in the .proto files of a version of Kubernetes.
 *
 * Those do not say in which scalars an empty value says something: these marks are kept from the file that is there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answerFields, answerTypes } from "../src/api/wire/protobuf/answer-types.ts";
import { unionFields, unionTypes } from "../src/api/wire/protobuf/unions.ts";
import { builtinSchemas } from "../src/kinds/builtin-schemas.ts";
import type { TypeSchema } from "../src/kinds/engine/type-schema.ts";
import { definitionNames } from "../src/kinds/facts.ts";
import { answeredTypes, servedTypes } from "../test/upstream/served-types.ts";

type Messages = Record<string, Record<string, [number: number, type: string]>>;
type Table = Record<string, Record<string, number>>;

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error("usage: field-numbers.ts DIRECTORY");
const file = join(import.meta.dirname, "../src/api/wire/protobuf/field-numbers.json");
const messages: Messages = JSON.parse(readFileSync(join(source, "field-numbers.json"), "utf8"));
const before: Table = JSON.parse(readFileSync(file, "utf8"));

/** Types of versions that are served still, which have no definition of their own. */
const oldMessages: Readonly<Record<string, string>> = {
	OldCustomResourceColumnDefinition: "apiextensions.v1beta1.CustomResourceColumnDefinition",
	OldCustomResourceConversion: "apiextensions.v1beta1.CustomResourceConversion",
	OldCustomResourceDefinition: "apiextensions.v1beta1.CustomResourceDefinition",
	OldCustomResourceDefinitionSpec: "apiextensions.v1beta1.CustomResourceDefinitionSpec",
	OldCustomResourceDefinitionVersion: "apiextensions.v1beta1.CustomResourceDefinitionVersion",
	OldDaemonSet: "extensions.v1beta1.DaemonSet",
	OldDaemonSetSpec: "extensions.v1beta1.DaemonSetSpec",
	OldDeployment: "extensions.v1beta1.Deployment",
	OldDeploymentSpec: "extensions.v1beta1.DeploymentSpec",
	OldEndpoint: "discovery.v1beta1.Endpoint",
	OldEndpointSlice: "discovery.v1beta1.EndpointSlice",
	OldReplicaSet: "extensions.v1beta1.ReplicaSet",
	OldReplicaSetSpec: "extensions.v1beta1.ReplicaSetSpec",
	OldStatefulSet: "apps.v1beta1.StatefulSet",
	OldStatefulSetSpec: "apps.v1beta1.StatefulSetSpec",
};

const extensions = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions";
const messageOf = (definition: string) => definition.replace("io.k8s.", "k8s.io.").replaceAll("-", "_");
const oldMessageOf = (name: string) =>
	name.startsWith("apiextensions.") ? name.replace("apiextensions", extensions) : `k8s.io.api.${name}`;
const fieldsOf = (type: string): TypeSchema =>
	builtinSchemas.type(type) ?? unionFields(type) ?? answerFields(type) ?? {};
const metaPackage = "k8s.io.apimachinery.pkg.apis.meta.v1";
const ofMeta = new Set(["GroupVersionKind", "PartialObjectMetadata", "PartialObjectMetadataList"]);

const table: Table = {};
for (const type of [...servedTypes(), ...answeredTypes()]) {
	const old = oldMessages[type];
	add(type, old === undefined ? messageOf(definitionNames[type] ?? type) : oldMessageOf(old), fieldsOf(type));
}
for (const type of answerTypes) {
	// Of metrics.k8s.io, which is not among the sources.
	if (type.includes("Metrics")) table[type] = before[type] ?? {};
	else add(type, `${ofMeta.has(type) ? metaPackage : "k8s.io.api.apidiscovery.v2"}.${type}`, fieldsOf(type));
}
for (const type of unionTypes) add(type, `${extensions}.v1.${type}`, fieldsOf(type));
const lines = Object.entries(table)
	.sort(([one], [other]) => (one < other ? -1 : 1))
	.map(([type, fields]) => `${JSON.stringify(type)}:${JSON.stringify(fields)}`);
writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);

/** @param schema the type's fields, or those of the outer type for an embedded message */
function add(type: string, message: string, schema: TypeSchema): void {
	const numbers = messages[message];
	if (numbers === undefined) throw new Error(`no message ${message} for ${type}`);
	// A few names begin with a capital letter in protobuf alone, or are written otherwise.
	const names = new Map(Object.keys(schema).map((name) => [name.toLowerCase().replace(/[^a-z0-9]/g, ""), name]));
	const fields: [name: string, number: number][] = [];
	for (const [field, [number, fieldType]] of Object.entries(numbers)) {
		const name = names.get(field.toLowerCase());
		// JSON takes anything in the fields of old versions that nobody reads.
		if (name !== undefined && schema[name]?.type === "any" && !/(FieldsV1|RawExtension|JSON)$/.test(fieldType))
			continue;
		if (name !== undefined) fields.push([before[type]?.[`${name}?`] === undefined ? name : `${name}?`, number]);
		else if (/^\.?[\w.]+$/.test(fieldType) && /(^|\.)[A-Z]\w*$/.test(fieldType)) {
			const embedded = fieldType.startsWith(".") ? fieldType.slice(1) : message.replace(/\w+$/, fieldType);
			const embeddedType = embedded.split(".").at(-1) ?? "";
			add(embeddedType, embedded, schema);
			fields.push([`*${embeddedType}`, number]);
		}
	}
	table[type] = Object.fromEntries(fields.sort(([, one], [, other]) => one - other));
}
