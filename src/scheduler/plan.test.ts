/** Each file in testdata/ describes a cluster, pods to be scheduled one after the other, and the decision for each. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { deepFreeze } from "../core/object.ts";
import { selectorFrom } from "../core/selection/selector.ts";
import { seededRandom } from "../core/time/clock.ts";
import type {
	Namespace,
	Node,
	PersistentVolume,
	PersistentVolumeClaim,
	Pod,
	StorageClass,
} from "../kinds/generated/types.ts";
import { type PodInfo, podInfo } from "./model/pod-info.ts";
import { Snapshot } from "./model/snapshot.ts";
import type { Volumes } from "./model/volumes.ts";
import { planPod, type Unschedulable } from "./plan.ts";
import { planPreemption } from "./preemption.ts";

interface Sparse {
	kind: string;
	metadata: { name: string; namespace?: string; labels?: Record<string, string> };
	spec?: object;
	status?: object;
}

interface Case {
	/** Nodes, namespaces, running pods (those with spec.nodeName). */
	cluster: Sparse[];
	/** Scheduled in this order, each with the resources that earlier ones left. */
	pods: Sparse[];
	/** Disruption budgets for pods with the labels, in the namespace "default". */
	budgets?: { matchLabels: Record<string, string>; allowed: number }[];
	/** Claims, volumes and classes. */
	storage?: Sparse[];
	/** Per pod: its node, or the message. */
	decisions?: Record<string, string>;
}

const folder = new URL("./testdata/", import.meta.url);

/** Adds defaults of the API server, and labels and sizes of nodes unless the case specifies them. */
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
	// Objects in the cases have the kind that they name.
	return deepFreeze(whole) as unknown as T;
}

function decide(given: Case): Record<string, string> {
	const snapshot = new Snapshot({ volumes: volumesOf(given.storage ?? []) });
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
		decisions[pod.pod.metadata.name] =
			"nodeName" in decision ? decision.nodeName : refusalText(pod, snapshot, decision.unschedulable, given);
	}
	return decisions;
}

function volumesOf(storage: Sparse[]): Volumes {
	const named = <T>(kind: string) =>
		new Map(storage.filter((one) => one.kind === kind).map((one) => [one.metadata.name, complete<T>(one)]));
	const claims = named<PersistentVolumeClaim>("PersistentVolumeClaim");
	const volumes = named<PersistentVolume>("PersistentVolume");
	const classes = new Map(
		storage
			.filter(({ kind }) => kind === "StorageClass")
			// Cast as a whole: a class has no spec.
			.map((one) => [one.metadata.name, one as unknown as StorageClass]),
	);
	return {
		claim: (_, name) => claims.get(name),
		volume: (name) => volumes.get(name),
		storageClass: (name) => classes.get(name),
		available: (name) => [...volumes.values()].filter(({ spec }) => spec?.storageClassName === name && !spec.claimRef),
	};
}

/** With a preemption for pods with a priority: the end of the message, or the victims. */
function refusalText(pod: PodInfo, snapshot: Snapshot, why: Unschedulable, given: Case): string {
	if (pod.pod.spec.priority === undefined) return why.message;
	const budgets = (namespace: string) =>
		(namespace === "default" ? (given.budgets ?? []) : []).map(({ matchLabels, allowed }) => ({
			namespace,
			selector: selectorFrom({ matchLabels }),
			allowed,
			disrupted: new Set<string>(),
		}));
	const before = [...snapshot.nodes].map(({ pods }) => [...pods.keys()].sort());
	const preemption = planPreemption(pod, snapshot, why, { budgets });
	expect([...snapshot.nodes].map(({ pods }) => [...pods.keys()].sort())).toEqual(before);
	if ("message" in preemption) return `${why.message} preemption: ${preemption.message}`;
	return `instead of ${preemption.victims.map((victim) => victim.pod.metadata.name).join(", ")} on ${preemption.nodeName}`;
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
