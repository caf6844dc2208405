import { expect, test } from "vitest";
import { deepCopy } from "../../core/object.ts";
import type { DaemonSet } from "../generated/types.ts";
import { daemonSets } from "./daemonset.ts";

const annotation = "deprecated.daemonset.template.generation";

function daemonSet(image: string): DaemonSet {
	return {
		apiVersion: "apps/v1",
		kind: "DaemonSet",
		metadata: { name: "web", uid: "uid", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
		spec: {
			selector: { matchLabels: { app: "web" } },
			template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image }] } },
		},
	};
}

test("the template's generation begins at 1, grows with the template only, and is not the client's to set", () => {
	const first = daemonSet("a:1");
	daemonSets.prepareForCreate?.(first, { now: "2026-01-01T00:00:00Z", requester: { name: "ann", groups: [] } });
	expect(first.metadata.annotations).toEqual({ [annotation]: "1" });
	const labelled = deepCopy(first);
	labelled.metadata.annotations = { team: "blue", [annotation]: "7" };
	daemonSets.prepareForUpdate?.(labelled, first, { now: "2026-01-01T00:00:00Z" });
	expect(labelled.metadata.annotations).toEqual({ team: "blue", [annotation]: "1" });
	const changed = daemonSet("a:2");
	daemonSets.prepareForUpdate?.(changed, labelled, { now: "2026-01-01T00:00:00Z" });
	expect(changed.metadata.annotations).toEqual({ [annotation]: "2" });
});
