import { expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { encryptionPlan } from "./configuration.ts";

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
const parse = (text: string) => encryptionPlan(parseYaml(text));

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
				// Data of runs and notification policies that are not objects.
				"history/",
				"notify/",
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
	["- a", "must be a mapping"],
	["kind: Pod", 'kind: Unsupported value: "Pod": supported values: "EncryptionConfiguration"'],
	[`${configuration("[secrets]", `[${aes("a")}]`)}other: 1`, "other: unknown field"],
	[configuration("[]", `[${aes("a")}]`), "resources[0].resources: Required value"],
	[configuration("[1]", `[${aes("a")}]`), "resources[0].resources[0]: must be text"],
	[configuration("[secrets]", "[]"), "resources[0].providers: Required value"],
	[configuration("[secrets]", "[{secretbox: {keys: []}}]"), "provider secretbox is not supported"],
	[configuration("[secrets]", "[{kms: {}}]"), "resources[0].providers[0]: Forbidden: provider kms is not supported"],
	[configuration("[secrets]", "[{aesgcm: {keys: [{name: a, secret: YQ==}]}}]"), "keys[0].secret: must be 16, 24 or 32"],
	[
		configuration("[secrets]", `[{aesgcm: {keys: [{name: "a:b", secret: ${secret(16)}}]}}]`),
		'keys[0].name: Invalid value: "a:b": must be a name without a colon',
	],
	[
		configuration(
			"[secrets]",
			`[${aes("a")}, {aesgcm: {keys: [{name: a, secret: ${Buffer.alloc(32, 8).toString("base64")}}]}}]`,
		),
		"two keys have this name",
	],
])("what is wrong is named: %#", (text, message) => {
	expect(() => parse(text)).toThrow(message);
});
