/** Static pods follow the files of a directory. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createInformerCache } from "../../client/informer.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import { systemClock } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { sharedPodSource } from "../pod-source.ts";
import { TestServer } from "../testing/test-server.ts";
import { StaticPods } from "./static-pods.ts";

const clock = systemClock();
let directory: string;
let server: TestServer;
let informers: InformerCache;
let statics: StaticPods;
let problems: string[];

beforeEach(async () => {
	directory = mkdtempSync(`${tmpdir()}/cox-static-`);
	server = new TestServer(clock);
	informers = createInformerCache(server.client, { clock });
	problems = [];
	write("web.yaml", podYaml("web", "one"));
	const node = { name: "node-1", uid: "node-uid" };
	const problem = (message: string) => problems.push(message);
	statics = new StaticPods({ client: server.client, clock, directory, node, problem });
	await sharedPodSource(informers).subscribe("node-1", (current, last) => {
		statics.changed(current, last);
		const { deletionTimestamp, namespace, name } = last.metadata;
		// What an agent does when its containers have stopped.
		if (current !== undefined && deletionTimestamp !== undefined)
			void clock.sleep(1).then(() => server.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 }));
	});
	statics.begin();
});
afterEach(() => {
	statics.stop();
	informers.close();
	rmSync(directory, { recursive: true });
});

const podYaml = (name: string, image: string) =>
	`apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, labels: { app: ${name} } }\nspec: { containers: [{ name: main, image: ${image} }] }\n`;
/** Appears complete. */
function write(name: string, text: string): void {
	writeFileSync(`${directory}/.draft`, text);
	renameSync(`${directory}/.draft`, `${directory}/${name}`);
}
const found = () =>
	[...server.toy.objects.values()]
		.filter((object): object is Pod => object.kind === "Pod")
		.map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${spec.containers[0]?.image}`)
		.sort();
async function until(expected: string[]): Promise<void> {
	for (let attempt = 0; attempt < 1000 && JSON.stringify(found()) !== JSON.stringify(expected); attempt++)
		await clock.sleep(10);
	expect(found()).toEqual(expected);
}

it("are mirrored with upstream's annotations, and again when somebody deletes them", async () => {
	await until(["default/web-node-1 one"]);
	const [mirror] = [...server.toy.objects.values()].filter((object): object is Pod => object.kind === "Pod");
	const hash = mirror?.metadata.annotations?.["kubernetes.io/config.hash"];
	expect(mirror).toMatchObject({
		metadata: {
			labels: { app: "web" },
			annotations: { "kubernetes.io/config.source": "file", "kubernetes.io/config.mirror": hash },
			ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "node-1", uid: "node-uid", controller: true }],
		},
		spec: { nodeName: "node-1", tolerations: [{ operator: "Exists", effect: "NoExecute" }] },
	});
	expect(hash).toMatch(/^[0-9a-f]{32}$/);
	await server.client.delete(pods, { namespace: "default", name: "web-node-1" }, { gracePeriodSeconds: 0 });
	await until(["default/web-node-1 one"]);
	const [again] = [...server.toy.objects.values()].filter((object): object is Pod => object.kind === "Pod");
	expect(again?.metadata.uid).not.toBe(mirror?.metadata.uid);
});

it("follow changes of files, and a file that is wrong is reported and keeps no other back", async () => {
	await until(["default/web-node-1 one"]);
	write("list.yaml", "kind: List\napiVersion: v1\n");
	write("db.json", podYaml("db", "two"));
	await until(["default/db-node-1 two", "default/web-node-1 one"]);
	expect(problems).toEqual(["list.yaml: kind Pod of v1 is wanted, not List of v1"]);
	write("web.yaml", podYaml("web", "three"));
	await until(["default/db-node-1 two", "default/web-node-1 three"]);
	rmSync(`${directory}/db.json`);
	await until(["default/web-node-1 three"]);
	expect(problems).toHaveLength(1);
});
