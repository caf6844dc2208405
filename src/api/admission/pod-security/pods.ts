/** Pods, and templates of pods, against the policy of their namespace. */

import { daemonSets } from "../../../kinds/apps/daemonset.ts";
import { deployments } from "../../../kinds/apps/deployment.ts";
import { replicaSets } from "../../../kinds/apps/replicaset.ts";
import { replicationControllers } from "../../../kinds/apps/replicationcontroller.ts";
import { statefulSets } from "../../../kinds/apps/statefulset.ts";
import { cronJobs } from "../../../kinds/batch/cronjob.ts";
import { jobs } from "../../../kinds/batch/job.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import type { Kind } from "../../../kinds/engine/kind.ts";
import type { Container, Pod, PodTemplateSpec } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { podTemplates } from "../../../kinds/pod/podtemplate.ts";
import { type Subject, subjectOf, type Violation } from "../../pod-security/controls/control.ts";
import { violations, violationText } from "../../pod-security/evaluate.ts";
import { isSame, type LevelVersion, levelText } from "../../pod-security/level.ts";
import { isPrivileged, type Policy, policyOf } from "../../pod-security/policy.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { defaultsOf, exemption, isExemptRuntimeClass } from "./exemptions.ts";

const exemptAnnotation = "pod-security.kubernetes.io/exempt";

/** Subresources that change what a pod runs. */
const changing: ReadonlySet<string | undefined> = new Set([undefined, "ephemeralcontainers", "resize"]);

export const podSecurityOfPods: AdmissionStep = {
	name: "PodSecurity",
	on: { operations: ["create", "update"], kinds: [pods], subresources: true },
	admit(request) {
		if (!changing.has(request.subresource)) return;
		const policy = policyFor(request);
		if (policy === undefined) return;
		// Steps see the kinds that they ask for.
		const [pod, old] = [request.object as Pod, request.old as Pod | undefined];
		if (old !== undefined && !runsOtherImages(pod, old)) return;
		evaluate(request, policy, subjectOf(pod.spec, pod.metadata.annotations), true);
	},
};

/** Where each kind has the template of its pods. */
const templates: readonly [kind: Pick<Kind, "group" | "plural">, path: readonly string[]][] = [
	[podTemplates, ["template"]],
	[replicationControllers, ["spec", "template"]],
	[replicaSets, ["spec", "template"]],
	[deployments, ["spec", "template"]],
	[daemonSets, ["spec", "template"]],
	[statefulSets, ["spec", "template"]],
	[jobs, ["spec", "template"]],
	[cronJobs, ["spec", "jobTemplate", "spec", "template"]],
];

/** A workload whose pods would be rejected only causes a warning: the pods themselves are rejected. */
export const podSecurityOfTemplates: AdmissionStep = {
	name: "PodSecurity",
	on: { operations: ["create", "update"], kinds: templates.map(([kind]) => kind) },
	admit(request) {
		const policy = policyFor(request);
		if (policy === undefined || (policy.warn.level === "privileged" && policy.audit.level === "privileged")) return;
		const template = templateOf(request);
		if (template?.spec === undefined) return;
		evaluate(request, policy, subjectOf(template.spec, template.metadata?.annotations), false);
	},
};

/** The policy of the namespace; undefined if it does not apply to this request. */
function policyFor(request: AdmissionAttributes): Policy | undefined {
	const { server, namespace = "" } = request;
	const found = server.cache.find(namespaces, undefined, namespace);
	if (found === undefined) return undefined;
	const { policy } = policyOf(found, defaultsOf(server));
	if (isPrivileged(policy)) return undefined;
	const exempt = exemption(request);
	if (exempt === undefined) return policy;
	request.audit?.annotate(exemptAnnotation, exempt);
	return undefined;
}

function templateOf({ kind, object }: AdmissionAttributes): PodTemplateSpec | undefined {
	const [, path = []] = templates.find(([{ group, plural }]) => group === kind.group && plural === kind.plural) ?? [];
	let value: unknown = object;
	for (const field of path) value = (value as Record<string, unknown> | undefined)?.[field];
	// The object is valid: checks run last.
	return value as PodTemplateSpec | undefined;
}

/** The standards depend on no other mutable field of a pod. */
function runsOtherImages({ spec }: Pod, { spec: before }: Pod): boolean {
	const ephemeral = new Map(before.ephemeralContainers?.map(({ name, image }) => [name, image]));
	return (
		differ(spec.containers, before.containers) ||
		differ(spec.initContainers ?? [], before.initContainers ?? []) ||
		(spec.ephemeralContainers ?? []).some(({ name, image }) => ephemeral.get(name) !== image)
	);
}

function differ(containers: readonly Container[], before: readonly Container[]): boolean {
	return containers.length !== before.length || containers.some(({ image }, index) => image !== before[index]?.image);
}

/** @throws ApiError Forbidden for violations of the enforced level */
function evaluate(request: AdmissionAttributes, policy: Policy, subject: Subject, enforces: boolean): void {
	if (isExemptRuntimeClass(request.server, subject)) {
		request.audit?.annotate(exemptAnnotation, "runtimeClass");
		return;
	}
	const found: [LevelVersion, Violation[]][] = [];
	const against = (level: LevelVersion): Violation[] => {
		const known = found.find(([other]) => isSame(level, other));
		if (known !== undefined) return known[1];
		const result = violations(level, subject);
		found.push([level, result]);
		return result;
	};
	const enforced = enforces ? against(policy.enforce) : [];
	if (enforces) request.audit?.annotate("pod-security.kubernetes.io/enforce-policy", levelText(policy.enforce));
	const audited = against(policy.audit);
	if (audited.length > 0)
		request.audit?.annotate("pod-security.kubernetes.io/audit-violations", wouldViolate(policy.audit, audited));
	if (enforced.length > 0)
		throw refused(request, `violates PodSecurity "${levelText(policy.enforce)}": ${violationText(enforced)}`);
	const warned = against(policy.warn);
	if (warned.length > 0) request.warnings.push(wouldViolate(policy.warn, warned));
}

function wouldViolate(level: LevelVersion, found: readonly Violation[]): string {
	return `would violate PodSecurity "${levelText(level)}": ${violationText(found)}`;
}
