import type { KubeObject } from "../../core/object.ts";
import { conditionsProblems } from "../../core/validation/condition-checks.ts";
import { atMostAll, nonNegative, numberOrPercent, oneOf } from "../../core/validation/field-checks.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { oldVersion } from "../conversion/deprecation.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import { isEmptySelector, validateLabelSelector } from "../engine/label-selector.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../generated/types.ts";

const emptyStatus: PodDisruptionBudgetStatus = {
	currentHealthy: 0,
	desiredHealthy: 0,
	disruptionsAllowed: 0,
	expectedPods: 0,
};
/** No pod has this label: in the older version an empty selector selected nothing. */
const selectsNothing = { key: "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match", operator: "Exists" };

export const podDisruptionBudgets: Kind<PodDisruptionBudget> = {
	group: "policy",
	version: "v1",
	kind: "PodDisruptionBudget",
	plural: "poddisruptionbudgets",
	singular: "poddisruptionbudget",
	shortNames: ["pdb"],
	categories: [],
	namespaced: true,
	schema: "PodDisruptionBudget",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Min Available", "Pods that must stay.", ({ spec }) => String(spec?.minAvailable ?? "N/A")),
		column("Max Unavailable", "Pods that may be gone.", ({ spec }) => String(spec?.maxUnavailable ?? "N/A")),
		column(
			"Allowed Disruptions",
			"Pods that may be evicted now.",
			({ status }) => status?.disruptionsAllowed ?? 0,
			"integer",
		),
		ageColumn,
	],

	setDefaults(budget) {
		budget.spec ??= {};
	},
	prepareForCreate(budget) {
		budget.status = { ...emptyStatus };
	},
	prepareForUpdate(budget, old) {
		budget.status = old.status ?? { ...emptyStatus };
	},
	validate({ spec }) {
		const { minAvailable, maxUnavailable } = spec;
		const both = minAvailable !== undefined && maxUnavailable !== undefined;
		return [
			...(both ? [invalidValue("spec", spec, "minAvailable and maxUnavailable cannot be both set")] : []),
			...numberOrPercent(minAvailable, "spec.minAvailable"),
			...atMostAll(minAvailable, "spec.minAvailable"),
			...numberOrPercent(maxUnavailable, "spec.maxUnavailable"),
			...atMostAll(maxUnavailable, "spec.maxUnavailable"),
			...validateLabelSelector(spec.selector, "spec.selector"),
			...oneOf(spec.unhealthyPodEvictionPolicy, ["AlwaysAllow", "IfHealthyBudget"], "spec.unhealthyPodEvictionPolicy"),
		];
	},
	validateStatusUpdate: ({ status }) => [
		...conditionsProblems(status?.conditions, "status.conditions"),
		...(["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"] as const).flatMap((count) =>
			nonNegative(status?.[count], `status.${count}`),
		),
	],
	servedAs: [
		oldVersion({
			apiVersion: "policy/v1beta1",
			kind: "PodDisruptionBudget",
			deprecatedIn: "v1.21",
			removedIn: "v1.25",
			current: "policy/v1",
			toStorage(object) {
				const { spec } = budgetOf(object);
				if (spec?.selector !== undefined && isEmptySelector(spec.selector))
					spec.selector.matchExpressions = [{ ...selectsNothing }];
			},
			fromStorage(object) {
				const selector = budgetOf(object).spec?.selector;
				if (selector?.matchExpressions?.[0]?.key === selectsNothing.key) delete selector.matchExpressions;
			},
		}),
	],
};

function budgetOf(object: KubeObject): PodDisruptionBudget {
	// The lookup has determined this kind.
	return object as PodDisruptionBudget;
}
