/** Explains an object of a kind that has rules. */
import { controllerOf, type KubeObject } from "../core/object.ts";
import type { Evidence } from "./findings/evidence.ts";
import type { Code, Finding } from "./findings/finding.ts";
import { claimFindings } from "./rules/claim.ts";
import { cronJobFindings } from "./rules/cron-job.ts";
import { daemonSetFindings } from "./rules/daemon-set.ts";
import { deploymentFindings, replicaSetFindings } from "./rules/deployment.ts";
import { jobFindings } from "./rules/job.ts";
import { nodeFindings } from "./rules/node.ts";
import { podFindings } from "./rules/pod.ts";
import { statefulSetFindings } from "./rules/stateful-set.ts";

/** Of one type: where its objects are in the evidence, and the findings of one. */
interface Explainer {
	among(evidence: Evidence): readonly KubeObject[];
	/** Undefined if there is no object of that name. */
	findings(name: string, evidence: Evidence): Finding[] | undefined;
}

function explainer<T extends KubeObject>(
	among: (evidence: Evidence) => readonly T[],
	findingsOf: (object: T, evidence: Evidence) => Finding[],
): Explainer {
	return {
		among,
		findings(name, evidence) {
			const object = among(evidence).find(({ metadata }) => metadata.name === name);
			return object && findingsOf(object, evidence);
		},
	};
}

const explainers = {
	statefulset: explainer(({ statefulSets }) => statefulSets, statefulSetFindings),
	deployment: explainer(({ deployments }) => deployments, deploymentFindings),
	daemonset: explainer(({ daemonSets }) => daemonSets, daemonSetFindings),
	cronjob: explainer(({ cronJobs }) => cronJobs, cronJobFindings),
	job: explainer(({ jobs }) => jobs, jobFindings),
	replicaset: explainer(({ replicaSets }) => replicaSets, replicaSetFindings),
	pod: explainer(({ pods }) => pods, podFindings),
	persistentvolumeclaim: explainer(
		({ claims }) => claims,
		({ metadata }, evidence) => claimFindings(metadata.name, evidence),
	),
	node: explainer(({ nodes }) => nodes, nodeFindings),
};

/** A type whose objects can be explained. */
export type Explained = keyof typeof explainers;

/** Owners before what they own. */
export const explainedTypes = Object.keys(explainers) as Explained[];

/** Findings that say only that nothing is wrong, that work goes on, or that a user wants it so. */
const harmless: ReadonlySet<Code> = new Set<Code>([
	"running",
	"succeeded",
	"creating",
	"complete",
	"scaledToZero",
	"paused",
	"jobSuspended",
	"cronSuspended",
	"jobComplete",
	"jobRunning",
	"cronNext",
	"claimBound",
	"nodeFine",
]);

/** Findings that lead to their cause, which follows them. */
const leading: ReadonlySet<Code> = new Set<Code>([
	"waitsForPod",
	"waitsForEarlierPod",
	"podsNotReady",
	"jobRunning",
	"jobRetries",
	"unschedulable",
	"initFailing",
]);

/** The problem that says most in one sentence; undefined if all findings are harmless. */
export function headline(findings: readonly Finding[]): Finding | undefined {
	const found = findings.filter((one) => !isHarmless(one));
	return found.find(({ code }) => !leading.has(code)) ?? found[0];
}

/** @returns findings, the most direct first, each followed by its causes; undefined if there is no such object */
export function explain(type: Explained, name: string, evidence: Evidence): Finding[] | undefined {
	return explainers[type].findings(name, evidence);
}

/** The types that have an object of this name. */
export function typesOf(name: string, evidence: Evidence): Explained[] {
	return explainedTypes.filter((type) => namesOf(type, evidence).includes(name));
}

export function namesOf(type: Explained, evidence: Evidence): string[] {
	return explainers[type].among(evidence).map(({ metadata }) => metadata.name);
}

export function isHarmless({ code }: Finding): boolean {
	return harmless.has(code);
}

/** An object, and the findings about it. */
export interface Problem {
	type: Explained;
	name: string;
	findings: Finding[];
}

/** The problems of several namespaces; those of nodes, which all have in common, come once. */
export function allProblems(evidence: readonly Evidence[]): (Problem & { namespace: string })[] {
	return evidence.flatMap((one, index) =>
		problems(one)
			.filter(({ type }) => type !== "node" || index === 0)
			.map((problem) => ({ ...problem, namespace: one.namespace })),
	);
}

/** Nodes, and objects that no controller manages, with findings that are not harmless. */
export function problems(evidence: Evidence): Problem[] {
	return explainedTypes.flatMap((type) =>
		explainers[type]
			.among(evidence)
			// A claim is explained with the pod that waits for it.
			.filter((object) => type !== "persistentvolumeclaim" && controllerOf(object) === undefined)
			.map(({ metadata: { name } }) => ({ type, name, findings: explain(type, name, evidence) ?? [] }))
			.filter(({ findings }) => findings.some((one) => !isHarmless(one))),
	);
}
