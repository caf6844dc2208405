/** Which objects a quota with scopes applies to (API reference, ResourceQuotaSpec). */
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../engine/kind.ts";
import type {
	PersistentVolumeClaim,
	Pod,
	PodAffinityTerm,
	ResourceQuota,
	ScopedResourceSelectorRequirement,
} from "../generated/types.ts";
import { qosClass } from "../pod/pod-qos.ts";

/** The quota's scopes in one form. */
function scopeRequirements({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] {
	const plain = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
	return [...plain, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

/** Whether the object is in all scopes of the quota; only pods, and claims for one scope, can be. */
export function isInScopes(quota: ResourceQuota, kind: Pick<Kind, "group" | "plural">, object: KubeObject): boolean {
	const requirements = scopeRequirements(quota);
	if (requirements.length === 0) return true;
	// The kind implies the object's type.
	if (kind.group === "" && kind.plural === "pods")
		return requirements.every((requirement) => podMatches(requirement, object as Pod));
	if (kind.group === "" && kind.plural === "persistentvolumeclaims")
		return requirements.every((requirement) => claimMatches(requirement, object as PersistentVolumeClaim));
	return false;
}

function podMatches(requirement: ScopedResourceSelectorRequirement, { spec }: Pod): boolean {
	switch (requirement.scopeName) {
		case "Terminating":
			return spec.activeDeadlineSeconds !== undefined;
		case "NotTerminating":
			return spec.activeDeadlineSeconds === undefined;
		case "BestEffort":
			return qosClass(spec) === "BestEffort";
		case "NotBestEffort":
			return qosClass(spec) !== "BestEffort";
		case "PriorityClass":
			return nameMatches(requirement, spec.priorityClassName ?? "");
		case "CrossNamespacePodAffinity":
			return crossesNamespaces(spec);
		default:
			return false;
	}
}

function claimMatches(
	requirement: ScopedResourceSelectorRequirement,
	{ spec, status }: PersistentVolumeClaim,
): boolean {
	if (requirement.scopeName !== "VolumeAttributesClass") return false;
	const names = [
		spec?.volumeAttributesClassName,
		status?.currentVolumeAttributesClassName,
		status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
	].filter((name) => name !== undefined && name !== "");
	const used = names.length === 0 ? [""] : names;
	return used.some((name) => nameMatches(requirement, name ?? ""));
}

function nameMatches({ operator, values = [] }: ScopedResourceSelectorRequirement, name: string): boolean {
	switch (operator) {
		case "In":
			return values.includes(name);
		case "NotIn":
			return !values.includes(name);
		case "Exists":
			return name !== "";
		case "DoesNotExist":
			return name === "";
		default:
			return false;
	}
}

function crossesNamespaces({ affinity }: Pod["spec"]): boolean {
	const terms: PodAffinityTerm[] = [];
	for (const one of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
		terms.push(...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []));
		terms.push(
			...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
		);
	}
	return terms.some(
		({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
	);
}
