import { expect, test } from "vitest";
import type { InformerCache } from "../../client/informer-cache.ts";
import type { KubeObject } from "../../core/object.ts";
import { catalog } from "../../kinds/catalog.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { garbageCollectorController } from "./controller.ts";

test("an owner that waits is looked at again when a dependent blocks it no longer", () => {
	const owner = {
		metadata: { namespace: "ns", name: "owner", uid: "1", deletionTimestamp: "x", finalizers: ["foregroundDeletion"] },
	};
	const dependent = (blockOwnerDeletion: boolean) => ({
		metadata: {
			namespace: "ns",
			name: "dependent",
			uid: "2",
			ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "owner", uid: "1", blockOwnerDeletion }],
		},
	});
	// The only part of an informer cache that the rule uses.
	const informers = { of: () => ({ get: () => owner, ownedBy: () => [] }) } as unknown as InformerCache;
	const rule = garbageCollectorController(createRegistry(catalog)).follows?.rule(pods as Kind);
	const keys = rule?.keys(dependent(false) as KubeObject, dependent(true) as KubeObject, informers);
	expect([...(keys ?? [])]).toEqual(["pods|ns/dependent", "pods|ns/owner"]);
});
