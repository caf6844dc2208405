import { expect, test } from "vitest";
import { catalog } from "../../kinds/catalog.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { planCases } from "../testing/cases.ts";
import { resourceQuotaController } from "./controller.ts";
import { plan } from "./plan.ts";

planCases(resourceQuotaController(createRegistry(catalog)), new URL("./testdata/", import.meta.url));

test("a charge for a pod that the informer cache has not seen is not taken back", () => {
	const metadata = { name: "q", namespace: "default", uid: "q", creationTimestamp: "2026-01-01T00:00:00Z" };
	const quota = {
		apiVersion: "v1",
		kind: "ResourceQuota",
		metadata: { ...metadata, resourceVersion: "20" },
		spec: { hard: { pods: "2" } },
		status: { hard: { pods: "2" }, used: { pods: "1" } },
	};
	const late = plan({ quota, counted: [{ kind: pods, objects: [], revision: 19 }] }, 0);
	expect(late).toEqual({ actions: [{ do: "catchUp", kinds: [pods], revision: 20 }], requeueAfterMs: 0 });
	const { actions } = plan({ quota, counted: [{ kind: pods, objects: [], revision: 20 }] }, 0);
	expect(actions).toMatchObject([{ do: "updateStatus", object: { status: { used: { pods: "0" } } } }]);
});
