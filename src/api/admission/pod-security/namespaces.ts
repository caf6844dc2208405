/**
 * Labels of namespaces: invalid ones are rejected; a stricter level warns of existing pods that violate it.
 */

import { sameJson } from "../../../core/equal.ts";
import { invalid } from "../../../core/errors.ts";
import type { KubeObject } from "../../../core/object.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import type { Pod } from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { subjectOf } from "../../pod-security/controls/control.ts";
import { violations } from "../../pod-security/evaluate.ts";
import { isSame, isStricter, type LevelVersion, levelText } from "../../pod-security/level.ts";
import { isPrivileged, labelPrefix, type Mode, type Policy, parsePolicy, policyOf } from "../../pod-security/policy.ts";
import type { AdmissionStep } from "../../server/admission-step.ts";
import type { Server } from "../../server/server.ts";
import { defaultsOf, isExemptNamespace, isExemptRuntimeClass } from "./exemptions.ts";

/** The number of existing pods to check before a stricter level is accepted (upstream's limit). */
const podLimit = 3000;

export const podSecurityOfNamespaces: AdmissionStep = {
	name: "PodSecurity",
	on: { operations: ["create", "update"], kinds: [namespaces] },
	admit({ server, object, old, warnings }) {
		const { name, labels = {} } = object.metadata;
		const { policy, causes } = parsePolicy(labels, defaultsOf(server));
		const before = old === undefined ? undefined : policyOf(old, defaultsOf(server));
		// An existing invalid label must not prevent other changes.
		if (causes.length > 0 && !sameJson(causes, before?.causes ?? [])) throw invalid(namespaces, name, [...causes]);
		if (before !== undefined && !enforcesMore(policy.enforce, before.policy.enforce)) return;
		if (isExemptNamespace(server, name)) warnings.push(...exemptWarning(server, name, policy, labels));
		else if (before !== undefined) warnings.push(...podWarnings(server, name, policy.enforce));
	},
};

function enforcesMore(level: LevelVersion, before: LevelVersion): boolean {
	if (isSame(level, before) || level.level === "privileged") return false;
	return level.version !== before.version || isStricter(level.level, before.level);
}

function exemptWarning(
	server: Server,
	name: string,
	policy: Policy,
	labels: Readonly<Record<string, string>>,
): string[] {
	if (isPrivileged(policy) || sameJson(policy, defaultsOf(server))) return [];
	const said = (["enforce", "audit", "warn"] as const).filter(
		(mode) => policy[mode].level !== "privileged" && isSaid(labels, mode),
	);
	if (said.length === 0) return [];
	const modes = said.map((mode) => `${mode}=${levelText(policy[mode])}`).join(", ");
	return [`namespace "${name}" is exempt from Pod Security, and the policy (${modes}) will be ignored`];
}

function isSaid(labels: Readonly<Record<string, string>>, mode: Mode): boolean {
	return labels[labelPrefix + mode] !== undefined || labels[`${labelPrefix}${mode}-version`] !== undefined;
}

/** Existing pods that violate a level: they keep running, but would not be recreated. */
function podWarnings(server: Server, namespace: string, level: LevelVersion): string[] {
	const all = oneOfEachControllerFirst(server, namespace);
	const warnings: string[] = [];
	if (all.length > podLimit)
		warnings.push(
			`new PodSecurity enforce level only checked against the first ${podLimit} of ${all.length} existing pods`,
		);
	const violating = new Map<string, string[]>();
	for (const { spec, metadata } of all.slice(0, podLimit)) {
		const found = violations(level, subjectOf(spec, metadata.annotations));
		if (found.length === 0) continue;
		const text = found.map(({ reason }) => reason).join(", ");
		const names = violating.get(text);
		if (names === undefined) violating.set(text, [metadata.name]);
		else names.push(metadata.name);
	}
	if (violating.size === 0) return warnings;
	warnings.push(
		`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${levelText(level)}"`,
	);
	const lines = [...violating].map(([text, names]) => `${podNames(names)}: ${text}`).sort();
	return warnings.concat(lines);
}

/** Pods of one controller are similar: one of each is checked before the limit is reached. */
function oneOfEachControllerFirst(server: Server, namespace: string): Pod[] {
	const first: Pod[] = [];
	const others: Pod[] = [];
	const controllers = new Set<string>();
	for (const { object: pod } of server.cache.resource(pods).range(keyPrefix(pods, namespace))) {
		if (isExemptRuntimeClass(server, pod)) continue;
		const owner = controllerUid(pod);
		if (owner !== undefined && controllers.has(owner)) others.push(pod);
		else first.push(pod);
		if (owner !== undefined) controllers.add(owner);
	}
	return first.concat(others);
}

function controllerUid({ metadata }: KubeObject): string | undefined {
	return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

function podNames(names: string[]): string {
	const [name = ""] = names.sort();
	const others = names.length - 1;
	if (others === 0) return name;
	return `${name} (and ${others} other ${others === 1 ? "pod" : "pods"})`;
}
