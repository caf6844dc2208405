/** Definitions as real operators have them: what they accept, make of it, and refuse. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { yamlLibrary } from "../../core/text/yaml-library.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";
import { customKind } from "./kind.ts";
import { versionCauses } from "./version-causes.ts";

function load(name: string): CustomResourceDefinition {
	return yamlLibrary().parse(readFileSync(join(import.meta.dirname, "testdata", `${name}.yaml`), "utf8"));
}

function kindOf(name: string) {
	const kind = customKind(load(name), "v1");
	const take = (more: object) => {
		const sent = { apiVersion: `${kind.group}/v1`, kind: kind.kind, metadata: { name: "x" }, ...more };
		const decoded = kind.decode?.(sent, {});
		if (decoded === undefined) throw new Error("a custom resource is decoded by its schema");
		return decoded;
	};
	const causes = (more: object, old?: object) =>
		kind.validate?.(take(more).object, old && take(old).object).map(({ field, message }) => `${field}: ${message}`);
	return { kind, take, causes };
}

test.each(["certificates", "routes"])("the definition of %s is right", (name) => {
	expect(versionCauses(load(name))).toEqual([]);
});

describe("certificates", () => {
	const { kind, take, causes } = kindOf("certificates");
	const spec = { secretName: "s", issuerRef: { name: "ca" } };

	test("get defaults, in objects that are missing, too", () => {
		expect(take({ spec }).object).toMatchObject({
			spec: {
				secretName: "s",
				issuerRef: { name: "ca", kind: "Issuer", group: "pki.example.com" },
				privateKey: { algorithm: "RSA" },
			},
		});
		expect(causes({ spec })).toEqual([]);
	});

	test("are refused with every mistake", () => {
		const wrong = {
			issuerRef: { name: 5, kind: "Other" },
			dnsNames: ["*.example.com", "_"],
			duration: "soon",
			privateKey: { algorithm: "Ed25519", size: 12 },
			usages: ["signing", "signing"],
			revisionHistoryLimit: null,
			secretTemplate: { labels: { a: 1 } },
		};
		expect(causes({ spec: wrong })?.sort()).toEqual(
			[
				'<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
				'spec.issuerRef.name: Invalid value: "integer": spec.issuerRef.name in body must be of type string: "integer"',
				'spec.issuerRef.kind: Unsupported value: "Other": supported values: "Issuer", "ClusterIssuer"',
				"spec.dnsNames[1]: Invalid value: \"_\": spec.dnsNames[1] in body should match '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'",
				'spec.duration: Invalid value: "soon": spec.duration in body must be of type duration: "soon"',
				"spec.privateKey.size: Invalid value: 12: spec.privateKey.size in body should be greater than or equal to 256",
				'spec.secretTemplate.labels.a: Invalid value: "integer": spec.secretTemplate.labels.a in body must be of type string: "integer"',
				"spec.secretName: Required value",
				'spec.usages[1]: Duplicate value: "signing"',
			].sort(),
		);
		expect(causes({ spec: { ...spec, privateKey: { algorithm: "Ed25519", size: 256 } } })).toEqual([
			"spec.privateKey.size: Invalid value: keys of Ed25519 have no size",
		]);
		expect(causes({})).toEqual([
			"spec: Required value",
			'<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
		]);
	});

	test("show what is in their status", () => {
		const status = { conditions: [{ type: "Ready", status: "True" }] };
		const { object } = take({ spec, status });
		expect(kind.columns.slice(0, 3).map(({ name, cell }) => [name, cell(object, 0)])).toEqual([
			["Name", "x"],
			["Ready", "True"],
			["Secret", "s"],
		]);
	});
});

describe("routes", () => {
	const { take, causes } = kindOf("routes");

	test("get defaults in lists that are missing", () => {
		expect(take({ spec: {} }).object).toMatchObject({
			spec: { rules: [{ matches: [{ path: { type: "Prefix", value: "/" } }] }] },
		});
		expect(take({ spec: { rules: [{ matches: [{}] }] } }).object).toMatchObject({
			spec: { rules: [{ matches: [{ path: { type: "Prefix", value: "/" } }] }] },
		});
	});

	test("keep what is embedded in them, with metadata as every object has it", () => {
		const extension = { apiVersion: "v1", kind: "Any", metadata: { name: "n", odd: 1 }, data: { a: null } };
		const { object, unknownFields } = take({ spec: { extension } });
		expect(object).toMatchObject({ spec: { extension: { ...extension, metadata: { name: "n" } } } });
		expect(unknownFields).toEqual(["spec.extension.metadata.odd"]);
		expect(causes({ spec: { extension: { kind: "a b", metadata: { name: "a/b" } } } })).toEqual([
			"spec.extension.apiVersion: Required value",
			"spec.extension.kind: Invalid value: \"a b\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
			"spec.extension.metadata.name: Invalid value: \"a/b\": may not contain '/'",
			'<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
		]);
	});

	test("are refused by their rules", () => {
		const matches = [{ path: { value: "a" } }];
		expect(causes({ spec: { parents: [{ name: "a" }, { name: "a" }], rules: [{ matches }] } })).toEqual([
			"spec.parents: Invalid value: parents must differ in name or port",
			"spec.rules[0].matches[0].path: Invalid value: the path a does not begin with /",
		]);
	});

	test("have one of several forms", () => {
		const both = { redirect: { host: "h" }, backends: [{ name: "b" }] };
		expect(causes({ spec: { rules: [both] } })?.[0]).toBe(
			'<nil>: Invalid value: "": "spec.rules[0]" must validate one and only one schema (oneOf). Found none valid',
		);
		expect(causes({ spec: { rules: [{ redirect: { host: "h" } }, { backends: [] }, { port: 80 }] } })).toEqual([]);
		expect(causes({ spec: { rules: [{ port: "80" }] } })).toEqual([
			"spec.rules[0].port: Invalid value: \"80\": spec.rules[0].port in body should match '^[a-z]+$'",
		]);
	});

	test("what is wrong already may stay", () => {
		const rule = { redirect: { host: "h".repeat(300) } };
		const old = { spec: { parents: [{ name: "a" }], rules: [rule] } };
		expect(causes({ spec: { parents: [{ name: "b" }], rules: [rule] } }, old)).toEqual([]);
		expect(causes({ spec: { rules: [rule, rule] } }, old)).toHaveLength(3);
	});
});
