import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "../core/object.ts";
import type { DaemonSet, Deployment } from "./generated/types.ts";
import { createFrom, documents } from "./testing.ts";

const read = (name: string) =>
	documents(readFileSync(new URL(`./testdata/manifests/${name}.yaml`, import.meta.url), "utf8"));

describe.each(["current", "old"])("manifests of %s versions", (name) => {
	test.each(read(name).map((manifest) => [manifest as KubeObject] as const))(
		"$kind $metadata.name is valid",
		(manifest) => {
			expect(createFrom(manifest).problems).toEqual([]);
		},
	);
});

test("old versions are stored as current ones, with a warning that names those", () => {
	const created = read("old").map(createFrom);
	expect(created.map(({ object }) => `${object.apiVersion} ${object.kind}`)).toEqual([
		"batch/v1 CronJob",
		"apps/v1 DaemonSet",
		"apps/v1 Deployment",
	]);
	expect(created.map(({ warnings }) => warnings)).toEqual([
		["batch/v2alpha1 CronJob is deprecated in v1.8+, unavailable in v1.21+; use batch/v1 CronJob"],
		["extensions/v1beta1 DaemonSet is deprecated in v1.9+, unavailable in v1.16+; use apps/v1 DaemonSet"],
		["apps/v1beta1 Deployment is deprecated in v1.9+, unavailable in v1.16+; use apps/v1 Deployment"],
	]);
});

test("the oldest versions select by the template's labels and keep their own defaults", () => {
	const [, daemonSet, deployment] = read("old").map((manifest) => createFrom(manifest).object);
	const ds = daemonSet as DaemonSet;
	expect(ds.metadata.labels).toEqual({ app: "fluentd" });
	expect(ds.spec.selector).toEqual({ matchLabels: { app: "fluentd" } });
	expect(ds.spec.updateStrategy).toEqual({ type: "OnDelete" });
	const deploy = deployment as Deployment;
	expect(deploy.spec).toMatchObject({
		selector: { matchLabels: { app: "nginx" } },
		revisionHistoryLimit: 2,
		progressDeadlineSeconds: 600,
		strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
	});
});

test("fields that only the old version had are dropped without complaint", () => {
	const { problems, object } = createFrom({
		apiVersion: "extensions/v1beta1",
		kind: "Deployment",
		metadata: { name: "web" },
		spec: {
			rollbackTo: { revision: 2 },
			template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } },
		},
	});
	expect(problems).toEqual([]);
	expect((object as Deployment).spec).not.toHaveProperty("rollbackTo");
	expect((object as Deployment).spec.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 1 });
});

test("a selector is not made up in current versions", () => {
	const { problems } = createFrom({
		apiVersion: "apps/v1",
		kind: "Deployment",
		metadata: { name: "web" },
		spec: { template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } } },
	});
	expect(problems[0]).toBe("spec.selector: Required value");
});
