/** Definitions of custom resources and their objects, with every kubectl. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, kubectls, type Output, succeeded, TestCluster } from "./cluster.ts";

const definition = JSON.stringify({
	apiVersion: "apiextensions.k8s.io/v1",
	kind: "CustomResourceDefinition",
	metadata: { name: "boats.example.com" },
	spec: {
		group: "example.com",
		scope: "Namespaced",
		names: { plural: "boats", kind: "Boat", shortNames: ["bt"], categories: ["all"] },
		versions: [
			{
				name: "v1",
				served: true,
				storage: true,
				subresources: {
					status: {},
					scale: { specReplicasPath: ".spec.oars", statusReplicasPath: ".status.oars" },
				},
				additionalPrinterColumns: [
					{ name: "Oars", type: "integer", jsonPath: ".spec.oars" },
					{ name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
				],
				schema: {
					openAPIV3Schema: {
						type: "object",
						properties: {
							spec: {
								type: "object",
								required: ["oars"],
								properties: {
									oars: { type: "integer", minimum: 1, maximum: 8, description: "How many row." },
									cox: { type: "boolean", default: true },
								},
							},
							status: { type: "object", properties: { oars: { type: "integer" } } },
						},
					},
				},
			},
		],
	},
});

const boat = (oars: number, name = "eight") =>
	JSON.stringify({ apiVersion: "example.com/v1", kind: "Boat", metadata: { name }, spec: { oars } });

const folder = mkdtempSync(join(tmpdir(), "cox-boats-"));
let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start("--runtime", "simulated");
});
afterAll(async () => {
	rmSync(folder, { recursive: true });
	await cluster?.[Symbol.asyncDispose]();
});

describe.each(kubectls)("custom resources with the kubectl $name", ({ path }) => {
	let tried: (...args: string[]) => Promise<Output>;
	beforeAll(() => {
		tried = cluster.kubectlWith(path);
	});

	async function k(...args: string[]): Promise<string> {
		return succeeded(`kubectl ${args.join(" ")}`, await tried(...args));
	}
	const apply = (manifest: string, ...more: string[]) => {
		const file = join(folder, "manifest.json");
		writeFileSync(file, manifest);
		return tried("apply", "-f", file, ...more);
	};

	test("a definition is established, used in every way, and deleted with its objects", async () => {
		succeeded("apply", await apply(definition));
		await k("wait", "--for=condition=Established", "crd/boats.example.com", "--timeout=30s");
		succeeded("apply", await apply(boat(8)));
		expect(await k("get", "bt")).toMatch(/^NAME +OARS +AGE\neight +8 +\d+s\n$/);
		expect(await k("get", "all")).toMatch(/boat\.example\.com\/eight +8/);
		expect(await k("api-resources", "--api-group=example.com")).toMatch(/^boats +bt .*Boat$/m);
		const explained = await k("explain", "boat.spec");
		expect(explained).toMatch(/cox\s+<boolean>/);
		expect(explained).toMatch(/oars\s+<integer> -required-\s+How many row\./);
		await k("patch", "boat", "eight", "--type=merge", "-p", '{"spec":{"cox":false}}');
		expect((await tried("patch", "boat", "eight", "-p", '{"spec":{"cox":false}}')).code).not.toBe(0);
		await k("scale", "boat", "eight", "--replicas=4");
		expect(JSON.parse(await k("get", "boat", "eight", "-o", "jsonpath={.spec}"))).toEqual({ cox: false, oars: 4 });
		const refused = await apply(boat(9));
		expect(refused.stderr).toContain("spec.oars in body should be less than or equal to 8");
		succeeded("apply", await apply(boat(6), "--server-side", "--force-conflicts"));
		await k("annotate", "boat", "eight", "a=b");
		expect(await k("get", "crd", "-o", "wide")).toMatch(
			/^boats\.example\.com +Namespaced +v1\(storage\) .* Boat +bt +true$/m,
		);
		await k("delete", "crd", "boats.example.com");
		await eventually(async () => expect((await tried("get", "boats")).code).not.toBe(0), 30_000);
	});
});
