/**
 * ClusterRoles with an aggregationRule get the rules of the roles that it selects (Kubernetes documentation,
 * "Aggregated ClusterRoles").
 */

import { sameJson } from "../../core/equal.ts";
import { type LabelSelector, selectorFrom } from "../../core/selector.ts";
import type { ClusterRole, PolicyRule } from "../../kinds/generated/types.ts";
import { clusterRoles } from "../../kinds/rbac/clusterrole.ts";
import { update } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

/** The only key: aggregated roles may be selected themselves, so that a change of one can affect many. */
const all = "all";

export const clusterRoleAggregationController: Controller<readonly ClusterRole[]> = {
	name: "clusterrole-aggregation-controller",
	component: "clusterrole-aggregation-controller",
	watches: [watchRule(clusterRoles, () => [all])],
	gather: (_key, informers) => [...informers.of(clusterRoles).list()].sort(byName),
	plan(roles) {
		const rules = aggregatedRules(roles);
		const actions = [...rules].flatMap(([role, gathered]) =>
			sameJson(role.rules ?? [], gathered) ? [] : [update(clusterRoles, { ...role, rules: [...gathered] })],
		);
		return { actions };
	},
};

function byName(a: ClusterRole, b: ClusterRole): number {
	return a.metadata.name < b.metadata.name ? -1 : 1;
}

/**
 * Rules of the aggregated roles without duplicates. They are computed from empty rules until nothing is added, so that
 * removed rules disappear even if two roles select each other.
 * @param roles by name
 */
function aggregatedRules(roles: readonly ClusterRole[]): Map<ClusterRole, readonly PolicyRule[]> {
	const gathering = roles.filter((role) => selectorsOf(role).length > 0);
	const sources = new Map(gathering.map((role) => [role, roles.filter((other) => isSelected(role, other))]));
	const gathered = new Map<ClusterRole, readonly PolicyRule[]>(gathering.map((role) => [role, []]));
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

function selectorsOf({ aggregationRule }: ClusterRole): readonly LabelSelector[] {
	return aggregationRule?.clusterRoleSelectors ?? [];
}

function isSelected(role: ClusterRole, other: ClusterRole): boolean {
	return role !== other && selectorsOf(role).some((selector) => selectorFrom(selector).matches(other.metadata.labels));
}

function distinct(rules: readonly PolicyRule[]): PolicyRule[] {
	return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}
