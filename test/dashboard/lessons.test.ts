/** Every step of every lesson leads where it says, on a cluster of simulated nodes with virtual time. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { isReached, type Lesson, lessonNamespace, type Step } from "../../src/dashboard/page/lessons/lesson.ts";
import { type Cluster, namespaces, startCluster } from "../../src/index.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { root } from "../e2e/cluster.ts";

const folder = join(root, "examples/lessons");
const lessons = readdirSync(folder)
	.sort()
	.map((name): [string, Lesson] => [name, parse(readFileSync(join(folder, name), "utf8"))]);

let cluster: Cluster;
beforeAll(async () => {
	cluster = await startCluster({ clock: "virtual", nodes: 2 });
	await cluster.client.create(namespaces, { metadata: { name: lessonNamespace }, spec: {} });
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** @param object `statefulset/diary` */
function named(object: string) {
	const [type = "", name = ""] = object.split("/");
	const kind = catalog.find(({ singular }) => singular === type);
	if (kind === undefined) throw new Error(`no kind ${type}`);
	return { kind, ref: { namespace: lessonNamespace, name } };
}

async function perform({ apply, patch, remove, object }: Step): Promise<void> {
	const { client } = cluster;
	if (apply !== undefined) await cluster.apply(apply, { namespace: lessonNamespace });
	if (patch !== undefined) await client.patch(named(object).kind, named(object).ref, { type: "strategic", patch });
	if (remove !== undefined) await client.delete(named(remove).kind, named(remove).ref);
}

describe.each(lessons)("%s", (_, { title, steps }) => {
	test("is written in both languages", () => {
		for (const texts of [title, ...steps.map(({ says }) => says)])
			expect([texts.en, texts.de].every((text) => /\w/.test(text))).toBe(true);
	});

	test("leads where it says, step by step", async () => {
		for (const step of steps) {
			await perform(step);
			const { kind, ref } = named(step.object);
			await cluster.waitFor(kind, ref, (object) => isReached(object, step.until), { timeout: "10m" });
		}
	});
});
