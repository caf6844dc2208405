/** OpenAPI documents, held against those of upstream's v1.36. */
import { expect, test } from "vitest";
import { openApi } from "../../src/api/openapi/openapi.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { type Definition, definitionForm, mapValues, type Operation, operationForm, upstreamFacts } from "./forms.ts";

interface DocumentV2 {
	definitions: Record<string, Definition>;
	paths: Record<string, Record<string, Operation>>;
}
interface DocumentV3 {
	components: { schemas: Record<string, Definition> };
}

const built = openApi({ all: () => catalog }, { version: "v1.36.0" });
const parse = <T>(bytes: Uint8Array): T => JSON.parse(Buffer.from(bytes).toString()) as T;
const v2 = async () => parse<DocumentV2>((await built.v2()).json());
const theirs = upstreamFacts<Record<string, Definition>>("definitions");
/** Versions that upstream no longer has; they are made of what it had. And groups of our own. */
const dropped = /^io\.k8s\.api\.(?:extensions|[a-z]+\.v\d+(?:alpha|beta)\d+)\.|^io\.coxswain\./;
const kindsOf = (definition: Definition | undefined) => definition?.["x-kubernetes-group-version-kind"] ?? [];
const withoutKinds = ({ "x-kubernetes-group-version-kind": _, ...form }: Definition) => form;

test("definitions have upstream's names, fields, types, merge keys and list types", async () => {
	const { definitions } = await v2();
	let compared = 0;
	for (const [name, definition] of Object.entries(definitions)) {
		const other = theirs[name];
		if (other === undefined) {
			expect(name).toMatch(dropped);
			continue;
		}
		expect(withoutKinds(definitionForm(definition)), name).toEqual(withoutKinds(other));
		compared++;
	}
	expect(compared).toBeGreaterThan(400);
});

test("definitions say which kinds have their form", async () => {
	const { definitions } = await v2();
	for (const [name, definition] of Object.entries(definitions)) {
		// Every group has its own DeleteOptions and WatchEvent; here are only the groups that are served.
		const kinds = kindsOf(theirs[name]);
		if (kinds.length <= 4) expect(kindsOf(definition), name).toEqual(expect.arrayContaining(kinds));
	}
});

test("operations have upstream's paths, names, kinds and answers", async () => {
	const { paths } = await v2();
	const others = upstreamFacts<Record<string, Record<string, string>>>("operations");
	let compared = 0;
	for (const [path, { parameters: _, ...methods }] of Object.entries(paths)) {
		const upstream = others[path];
		if (upstream === undefined) {
			expect(path).toMatch(/v\d+(alpha|beta)\d+|\.coxswain\.io\//);
			continue;
		}
		for (const [method, operation] of Object.entries(methods)) {
			expect(operationForm(operation), `${method} ${path}`).toBe(upstream[method]);
			compared++;
		}
	}
	expect(compared).toBeGreaterThan(400);
});

test("the newer documents have the same definitions as upstream's", async () => {
	const others = upstreamFacts<Record<string, Definition>>("definitions-v3");
	// Upstream also gives the zero of its language as the default of every required scalar.
	const withoutZeros = (definition: Definition) => {
		const { properties = {}, ...rest } = withoutKinds(definition);
		const kept = mapValues(properties, ({ default: value, ...property }) =>
			["", 0, false, undefined].some((zero) => zero === value) ? property : { ...property, default: value },
		);
		return { ...rest, properties: kept };
	};
	for (const path of ["api/v1", "apis/apps/v1", "apis/batch/v1"]) {
		const document = await built.v3(path);
		expect(document, path).toBeDefined();
		const { schemas } = parse<DocumentV3>(document?.json() ?? new Uint8Array()).components;
		let compared = 0;
		for (const [name, definition] of Object.entries(schemas)) {
			const other = others[name];
			if (other === undefined) continue;
			expect(withoutZeros(definitionForm(definition)), name).toEqual(withoutZeros(other));
			compared++;
		}
		expect(compared, path).toBeGreaterThan(50);
	}
});
