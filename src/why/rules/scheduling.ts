/** Pods without a node: what the scheduler says, and what it waits for. */
import { conditionOf } from "../../core/conditions.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import type { Evidence } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { claimFindings } from "./claim.ts";
import { claimNamesOf } from "./claim-names.ts";
import { wantedLabel } from "./wanted-label.ts";

const ownScheduler = "default-scheduler";

export function schedulingFindings(pod: Pod, evidence: Evidence): Finding[] {
	const about: Subject = { type: "pod", name: pod.metadata.name };
	const show = [commandsIn(evidence.namespace).describe("pod", pod.metadata.name)];
	const gates = (pod.spec.schedulingGates ?? []).map(({ name }) => name).join(", ");
	if (gates !== "") return [finding(about, "gated", { gates }, show)];
	const { schedulerName: scheduler = ownScheduler } = pod.spec;
	const condition = conditionOf(pod, "PodScheduled");
	if (condition === undefined)
		return [finding(about, scheduler === ownScheduler ? "notSeenByScheduler" : "otherScheduler", { scheduler }, show)];
	// What preemption tried adds nothing for people.
	const [message = ""] = (condition.message ?? "").split(/ ?preemption: /);
	return [
		finding(about, "unschedulable", { message }, show),
		...claimNamesOf(pod).flatMap((claim) => claimProblem(claim, message, evidence)),
		...verdictFindings(pod, message, evidence),
	];
}

/** What keeps a claim unbound; not that it waits for this very pod. */
function claimProblem(name: string, message: string, evidence: Evidence): Finding[] {
	const isKnown = evidence.claims.some(({ metadata }) => metadata.name === name);
	// Without the right to read claims, nothing is known about them.
	if (!isKnown && !message.includes(name)) return [];
	return claimFindings(name, evidence).filter(({ code }) => code !== "claimBound" && code !== "claimWaitsForPod");
}

/** The findings that have a number of nodes as their parameter (and one the label that these lack). */
type Verdict =
	| "tainted"
	| "selectorUnmatched"
	| "nodesUnschedulable"
	| "affinityUnmatched"
	| "portsTaken"
	| "volumeElsewhere";

/** Parts of the scheduler's verdict `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …` and what they mean. */
const verdicts: readonly [RegExp, Verdict][] = [
	[/(\d+) node\(s\) (?:had|have) untolerated taint/, "tainted"],
	[/(\d+) node\(s\) didn't match Pod's node affinity\/selector/, "selectorUnmatched"],
	[/(\d+) node\(s\) were unschedulable/, "nodesUnschedulable"],
	[/(\d+) node\(s\) didn't match pod (?:anti-)?affinity rules/, "affinityUnmatched"],
	[/(\d+) node\(s\) didn't match pod topology spread constraints/, "affinityUnmatched"],
	[/(\d+) node\(s\) didn't have free ports/, "portsTaken"],
	[
		/(\d+) node\(s\) (?:had volume node affinity conflict|didn't match PersistentVolume's node affinity)/,
		"volumeElsewhere",
	],
];

function verdictFindings({ metadata, spec }: Pod, message: string, { namespace }: Evidence): Finding[] {
	const about: Subject = { type: "pod", name: metadata.name };
	if (/^(no nodes available|0\/0 nodes)/.test(message)) return [finding(about, "noNodes", {}, ["kubectl get nodes"])];
	const commands = commandsIn(namespace);
	const found: Finding[] = [];
	for (const [, count, resource = ""] of message.matchAll(/(\d+) Insufficient ([^\s,.]+(?:\.[^\s,.]+)*)/g))
		found.push(finding(about, "insufficient", { resource, nodes: Number(count) }, ["kubectl describe nodes"]));
	for (const [pattern, code] of verdicts) {
		const nodes = pattern.exec(message)?.[1];
		if (nodes === undefined) continue;
		const show =
			code === "affinityUnmatched" ? commands.get("pods -o wide --show-labels") : "kubectl get nodes --show-labels";
		const counted = { nodes: Number(nodes) };
		const params = code === "selectorUnmatched" ? { ...counted, label: wantedLabel(spec) } : counted;
		found.push(finding(about, code, params, [show]));
	}
	return found;
}
