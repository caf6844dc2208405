import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import { staticInformerCache } from "../testing/static-informer-cache.ts";
import { statefulSetController } from "./controller.ts";

const selector = { matchLabels: { app: "web" } };
// Objects of their kinds, with the fields that watch rules use.
const set = {
	apiVersion: "apps/v1",
	kind: "StatefulSet",
	metadata: { name: "web-a", namespace: "default", uid: "set" },
	spec: { selector, serviceName: "web", template: {} },
} as unknown as KubeObject;

function wokenBy(pod: { name: string; owner?: string }): string[] {
	const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "other", uid: "other", controller: true };
	const metadata = { name: pod.name, namespace: "default", uid: "pod", labels: {} };
	// As above.
	const old = {
		apiVersion: "v1",
		kind: "Pod",
		metadata: pod.owner === undefined ? metadata : { ...metadata, ownerReferences: [reference] },
	} as unknown as KubeObject;
	const informers = staticInformerCache([set], statefulSetController);
	expect([...informers.of(statefulSets).list()]).toHaveLength(1);
	const rules = statefulSetController.watches.filter(({ kind }) => kind.kind === "Pod");
	return rules.flatMap((rule) => [...rule.keys(undefined, old, informers)]);
}

test("a pod that is gone wakes the set that needs its name, no matter who it belonged to", () => {
	expect(wokenBy({ name: "web-a-1" })).toEqual(["default/web-a"]);
	expect(wokenBy({ name: "web-a-1", owner: "other" })).toEqual(["default/web-a"]);
	expect(wokenBy({ name: "web-b-1" })).toEqual([]);
	expect(wokenBy({ name: "web" })).toEqual([]);
});
