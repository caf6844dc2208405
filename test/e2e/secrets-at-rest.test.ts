/**
 * Secrets of a real server are nowhere in its data directory as they are, and stay readable through rotation and
 * restarts.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, TestCluster } from "./cluster.ts";
import { kill, Traces } from "./traces.ts";

const simulated = ["--runtime", "simulated"];
const word = "correct-horse-battery-staple";

/** Files below the data directory that have the text, as it is or in base64. */
function filesWith(cluster: TestCluster, text: string): string[] {
	const forms = [text, Buffer.from(text).toString("base64").slice(0, 36)];
	return readdirSync(cluster.data, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.filter((file) => forms.some((form) => readFileSync(file).includes(form)));
}

test("a Secret's text is in no file, and a rotation changes its key while it is in use", async () => {
	await using cluster = await TestCluster.start(...simulated);
	const read = async (name: string) =>
		Buffer.from(await cluster.kubectl("get", "secret", name, "-o", "jsonpath={.data.word}"), "base64").toString();
	await cluster.kubectl("create", "secret", "generic", "kept", `--from-literal=word=${word}`);
	await cluster.kubectl("create", "secret", "generic", "changed", `--from-literal=word=${word}-1`);
	await cluster.kubectl("patch", "secret", "changed", "-p", JSON.stringify({ stringData: { word: `${word}-2` } }));
	await cluster.kubectl("create", "secret", "generic", "deleted", `--from-literal=word=${word}-3`);
	await cluster.kubectl("delete", "secret", "deleted");
	expect(filesWith(cluster, word)).toEqual([]);
	const keys = () => readFileSync(join(cluster.data, "pki/encryption.json"), "utf8");
	const before = keys();
	expect(await cluster.coxOk("secrets", "rotate")).toMatch(/^\d+ Secrets have a new key; the old key was deleted\n$/);
	expect(keys()).not.toBe(before);
	expect(JSON.parse(keys()).keys).toHaveLength(1);
	expect([await read("kept"), await read("changed")]).toEqual([word, `${word}-2`]);
	kill(new Traces(cluster.data).pids(/^server$/));
	await eventually(async () => expect(await read("kept")).toBe(word), 60_000);
	expect(filesWith(cluster, word)).toEqual([]);
});

test("an EncryptionConfiguration says what is encrypted, from the next start on", async () => {
	await using cluster = await TestCluster.start(...simulated);
	await cluster.kubectl("create", "configmap", "map", `--from-literal=word=${word}`);
	expect(filesWith(cluster, word)).toHaveLength(1);
	const file = join(cluster.data, "enc.yaml");
	const secret = Buffer.alloc(32, "k").toString("base64");
	writeFileSync(
		file,
		`apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [configmaps]
  providers:
  - aesgcm:
      keys:
      - {name: mine, secret: ${secret}}
  - identity: {}
`,
	);
	expect((await cluster.cox("up", "--encryption-provider-config", file)).stderr).toContain("'cox down' first");
	await cluster.coxOk("down");
	await cluster.coxOk("up", "--encryption-provider-config", file);
	expect(filesWith(cluster, word)).toEqual([]);
	expect(await cluster.kubectl("get", "configmap", "map", "-o", "jsonpath={.data.word}")).toBe(word);
	await cluster.coxOk("down");
	await cluster.coxOk("up");
	expect(await cluster.kubectl("get", "configmap", "map", "-o", "jsonpath={.data.word}")).toBe(word);
	await cluster.coxOk("down");
	await cluster.coxOk("up", "--encryption-provider-config", "default");
	expect(await cluster.kubectl("get", "configmap", "map", "-o", "jsonpath={.data.word}")).toBe(word);
});
