/** Each file in testdata/ is a cluster, some pods to be scheduled one after the other, and what is decided for each. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { seededRandom } from "../core/clock.ts";
import { deepFreeze } from "../core/object.ts";
import type { Namespace, Node, Pod } from "../kinds/generated/types.ts";
import { planPod } from "./plan.ts";
import { podInfo } from "./pod-info.ts";
import { Snapshot } from "./snapshot.ts";

interface Sparse {
	kind: string;
	metadata: { name: string; namespace?: string; labels?: Record<string, string> };
	spec?: object;
	status?: object;
}

interface Case {
	/** Nodes, namespaces, pods that run (those with spec.nodeName). */
	cluster: Sparse[];
	/** Scheduled in this order, each on what the ones before left. */
	pods: Sparse[];
	/** Per pod: its node, or the message. */
	decisions?: Record<string, string>;
}

const folder = new URL("./testdata/", import.meta.url);

/** What the API server would have filled in, and labels and sizes that nodes have unless the case says otherwise. */
function complete<T>({ kind, metadata, ...rest }: Sparse): T {
	const { labels, ...named } = metadata;
	const isNode = kind === "Node";
	const { spec, status } = rest;
	const whole = {
		apiVersion: "v1",
		kind,
		metadata: {
			...(kind === "Pod" ? { namespace: "default" } : {}),
			uid: `${kind}-${metadata.name}`,
			resourceVersion: "1",
			creationTimestamp: "2026-01-01T00:00:00Z",
			...named,
			labels: { ...(isNode ? { "kubernetes.io/hostname": metadata.name } : {}), ...labels },
		},
		spec: { ...(kind === "Pod" ? { containers: [{ name: "main" }] } : {}), ...spec },
		status: { ...(isNode ? { allocatable: { cpu: "4", memory: "8Gi", pods: "110" } } : {}), ...status },
	};
	// The cases' authors write objects of the kind they name.
	return deepFreeze(whole) as unknown as T;
}

function decide(given: Case): Record<string, string> {
	const snapshot = new Snapshot();
	for (const object of given.cluster) {
		if (object.kind === "Node") snapshot.setNode(complete<Node>(object));
		else if (object.kind === "Namespace") snapshot.setNamespace(object.metadata.name, complete<Namespace>(object));
		else {
			const pod = complete<Pod>(object);
			snapshot.place(podInfo(pod), pod.spec.nodeName ?? "");
		}
	}
	const decisions: Record<string, string> = {};
	const context = { random: seededRandom(1), cursor: { nextNode: 0 } };
	for (const object of given.pods) {
		const pod = podInfo(complete<Pod>(object));
		const decision = planPod(pod, snapshot, context);
		if ("nodeName" in decision) snapshot.place(pod, decision.nodeName);
		decisions[pod.pod.metadata.name] = "nodeName" in decision ? decision.nodeName : decision.unschedulable.message;
	}
	return decisions;
}

describe("scheduler", () => {
	for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
		test(file.replace(".yaml", "").replaceAll("-", " "), () => {
			const document = parseDocument(readFileSync(new URL(file, folder), "utf8"), { merge: true });
			const given = document.toJS() as Case;
			const decisions = decide(given);
			if (process.env["UPDATE"] !== undefined) {
				document.set("decisions", document.createNode(decisions));
				writeFileSync(new URL(file, folder), document.toString({ lineWidth: 0 }));
			}
			expect(decisions).toEqual(process.env["UPDATE"] === undefined ? given.decisions : decisions);
		});
	}
});
