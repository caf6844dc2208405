/** What of upstream's published documents is kept in facts/ and compared with ours: names and types, no texts. */
import { readFileSync } from "node:fs";

export type Json = Record<string, unknown>;

export interface Definition {
	properties?: Record<string, Json>;
	required?: string[];
	type?: string;
	format?: string;
	"x-kubernetes-map-type"?: string;
	"x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}

export interface Operation {
	operationId?: string;
	"x-kubernetes-action"?: string;
	"x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string };
	responses?: Record<string, { schema?: Json }>;
}

/** What a definition consists of besides texts. */
export function definitionForm(definition: Definition): Definition {
	const { type, format, required, properties = {} } = definition;
	const mapType = definition["x-kubernetes-map-type"];
	const kinds = definition["x-kubernetes-group-version-kind"];
	return {
		...(type && { type }),
		...(format && { format }),
		...(required && { required: required.toSorted() }),
		...(mapType && { "x-kubernetes-map-type": mapType }),
		...(kinds && { "x-kubernetes-group-version-kind": kinds }),
		properties: mapValues(properties, withoutText),
	};
}

function withoutText({ description: _, ...facts }: Json): Json {
	return facts;
}

/** `listCoreV1Pod list /v1/Pod 200=#/definitions/… 401`: the answers' schemas by their code. */
export function operationForm(operation: Operation): string {
	const { group = "", version = "", kind = "" } = operation["x-kubernetes-group-version-kind"] ?? {};
	const answers = Object.entries(operation.responses ?? {}).map(([code, { schema }]) => {
		if (schema === undefined) return code;
		return `${code}=${typeof schema["$ref"] === "string" ? schema["$ref"] : JSON.stringify(schema)}`;
	});
	return [
		operation.operationId,
		operation["x-kubernetes-action"] ?? "-",
		`${group}/${version}/${kind}`,
		...answers,
	].join(" ");
}

/** A file of facts/, as scripts/upstream-facts.ts has written it. */
export function upstreamFacts<T>(name: string): T {
	return JSON.parse(readFileSync(new URL(`facts/${name}.json`, import.meta.url), "utf8")) as T;
}

export function mapValues<From, To>(entries: Record<string, From>, map: (value: From) => To): Record<string, To> {
	return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, map(value)]));
}
