/**
 * ClusterRoles with an aggregationRule get the rules of the roles that it selects (Kubernetes documentation,
 * "Aggregated ClusterRoles").
 */

import { sameJson } from "../../core/equal.ts";
import type { ClusterRole } from "../../kinds/generated/types.ts";
import { aggregatedRules } from "../../kinds/rbac/aggregation.ts";
import { clusterRoles } from "../../kinds/rbac/clusterrole.ts";
import { update } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

/** The only key: aggregated roles may be selected themselves, so that a change of one can affect many. */
const all = "all";

export const clusterRoleAggregationController: Controller<readonly ClusterRole[]> = {
	name: "clusterrole-aggregation-controller",
	component: "clusterrole-aggregation-controller",
	watches: [watchRule(clusterRoles, () => [all])],
	gather: (_key, informers) => [...informers.of(clusterRoles).list()],
	plan(roles) {
		const rules = aggregatedRules(roles);
		const actions = [...rules].flatMap(([role, gathered]) =>
			sameJson(role.rules ?? [], gathered) ? [] : [update(clusterRoles, { ...role, rules: [...gathered] })],
		);
		return { actions };
	},
};
