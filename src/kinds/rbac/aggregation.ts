/** The rules of ClusterRoles with an aggregationRule (Kubernetes documentation, "Aggregated ClusterRoles"). Pure. */
import type { Draft } from "../../core/object.ts";
import { type LabelSelector, selectorFrom } from "../../core/selection/selector.ts";
import type { ClusterRole, PolicyRule } from "../generated/types.ts";

/**
 * Rules of the aggregated roles without duplicates, in the order of the names of the roles that they come from. They
 * are computed from empty rules until nothing is added, so that removed rules disappear even if two roles select each
 * other.
 */
export function aggregatedRules<T extends Draft<ClusterRole>>(all: readonly T[]): Map<T, readonly PolicyRule[]> {
	const roles = [...all].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
	const gathering = roles.filter((role) => selectorsOf(role).length > 0);
	const sources = new Map(gathering.map((role) => [role, roles.filter((other) => isSelected(role, other))]));
	const gathered = new Map<T, readonly PolicyRule[]>(gathering.map((role) => [role, []]));
	for (let grows = true; grows; ) {
		grows = false;
		for (const role of gathering) {
			const rules = distinct((sources.get(role) ?? []).flatMap((source) => gathered.get(source) ?? source.rules ?? []));
			if (rules.length !== gathered.get(role)?.length) grows = true;
			gathered.set(role, rules);
		}
	}
	return gathered;
}

function nameOf({ metadata }: Draft<ClusterRole>): string {
	return metadata.name ?? "";
}

function selectorsOf({ aggregationRule }: Draft<ClusterRole>): readonly LabelSelector[] {
	return aggregationRule?.clusterRoleSelectors ?? [];
}

function isSelected(role: Draft<ClusterRole>, other: Draft<ClusterRole>): boolean {
	return role !== other && selectorsOf(role).some((selector) => selectorFrom(selector).matches(other.metadata.labels));
}

function distinct(rules: readonly PolicyRule[]): PolicyRule[] {
	return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}
