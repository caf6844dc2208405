import { expect, test } from "vitest";
import { parseEncryptionConfiguration } from "./configuration.ts";

const secret = (size: number) => Buffer.alloc(size, 7).toString("base64");
const configuration = (resources: string, providers: string) => `
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: ${resources}
  providers: ${providers}
`;
const aes = (...names: string[]) =>
	`{aesgcm: {keys: [${names.map((name) => `{name: ${name}, secret: ${secret(32)}}`).join(", ")}]}}`;
const parse = (text: string) => parseEncryptionConfiguration(text, "enc.yaml");

test("resources become the keys of the store, and the first key of the first provider writes", () => {
	const { rules, keys } = parse(
		configuration('[secrets, deployments.apps, "*.batch", "*.", "*.*"]', `[${aes("a", "b")}, {identity: {}}]`),
	);
	expect(rules).toMatchObject([
		{
			prefixes: [
				"/objects/core/secrets/",
				"/objects/apps/deployments/",
				"/objects/batch/",
				"/objects/core/",
				"/objects/",
			],
			writeKey: { name: "a" },
		},
	]);
	expect(keys.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("identity first writes values as they are, and reads with the others' keys", () => {
	const { rules, keys } = parse(configuration("[secrets]", `[{identity: {}}, ${aes("old")}]`));
	expect(rules[0]?.writeKey).toBeUndefined();
	expect(keys.map(({ name }) => name)).toEqual(["old"]);
});

test.each([
	["kind: Pod\n---\nkind: Pod", "wanted one YAML document (there are 2)"],
	["a: [", "wanted one YAML document"],
	["kind: Pod", "wanted apiVersion: apiserver.config.k8s.io/v1"],
	[configuration("[]", `[${aes("a")}]`), "resources[0].resources: wanted a list that is not empty"],
	[configuration("[1]", `[${aes("a")}]`), "resources[0].resources: wanted names"],
	[configuration("[secrets]", "[]"), "resources[0].providers: wanted a list that is not empty"],
	[configuration("[secrets]", "[{secretbox: {keys: []}}]"), "provider secretbox is not supported"],
	[configuration("[secrets]", "[{kms: {}}]"), "resources[0].providers[0]: provider kms is not supported"],
	[configuration("[secrets]", "[{aesgcm: {keys: [{name: a, secret: YQ==}]}}]"), "keys[0].secret: wanted 16, 24 or 32"],
	[
		configuration("[secrets]", `[{aesgcm: {keys: [{name: "a:b", secret: ${secret(16)}}]}}]`),
		"keys[0].name: wanted a name without a colon",
	],
	[
		configuration(
			"[secrets]",
			`[${aes("a")}, {aesgcm: {keys: [{name: a, secret: ${Buffer.alloc(32, 8).toString("base64")}}]}}]`,
		),
		"two keys have the name a",
	],
])("what is wrong is named: %#", (text, message) => {
	expect(() => parse(text)).toThrow(`enc.yaml: ${message.startsWith("wanted") ? message : ""}`);
	expect(() => parse(text)).toThrow(message);
});
