/** Compiled pod affinity terms (Kubernetes documentation, "Inter-pod affinity and anti-affinity"). */
import { type LabelSelector, type Labels, selectorFrom } from "../../core/selection/selector.ts";
import type { PodAffinityTerm } from "../../kinds/generated/types.ts";

/** The fields of another pod that a term uses. */
export interface Candidate {
	readonly namespace: string;
	readonly labels: Labels;
}

/** Labels of a namespace; undefined if it is unknown. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

export interface AffinityTerm {
	/** Equal for terms that select the same pods with the same topology. */
	readonly key: string;
	/** Equal for terms that select the same pods with any topology. */
	readonly podsKey: string;
	readonly topologyKey: string;
	/** The namespaces in which it selects pods; undefined if it selects namespaces by label. */
	readonly namespaces: ReadonlySet<string> | undefined;
	matches(candidate: Candidate, namespaceLabels: NamespaceLabels): boolean;
}

export interface WeightedTerm {
	readonly term: AffinityTerm;
	/** Negative for anti-affinity. */
	readonly weight: number;
}

/** @param owner the pod with the term: its namespace is the default, and its labels are the values of matchLabelKeys */
export function compileAffinityTerm(term: PodAffinityTerm, owner: Candidate): AffinityTerm {
	const selector = selectorFrom(
		withLabelKeys(term.labelSelector, owner.labels, term.matchLabelKeys, term.mismatchLabelKeys),
	);
	const listed = new Set(term.namespaces ?? []);
	const byLabel = term.namespaceSelector === undefined ? undefined : selectorFrom(term.namespaceSelector);
	if (listed.size === 0 && byLabel === undefined) listed.add(owner.namespace);
	const podsKey = `${[...listed].sort().join(",")}|${byLabel === undefined ? "-" : `{${byLabel}}`}|${selector}`;
	return {
		key: `${term.topologyKey}|${podsKey}`,
		podsKey,
		topologyKey: term.topologyKey,
		namespaces: byLabel === undefined ? listed : undefined,
		matches(candidate, namespaceLabels) {
			if (!listed.has(candidate.namespace)) {
				if (byLabel === undefined || !(byLabel.everything || byLabel.matches(namespaceLabels(candidate.namespace))))
					return false;
			}
			return selector.matches(candidate.labels);
		},
	};
}

/**
 * A label selector narrowed to pods with (`match`) or without (`mismatch`) the owner's values of some labels. Keys that
 * the owner does not have are ignored, and so is everything if there is no selector.
 */
export function withLabelKeys(
	selector: LabelSelector | undefined,
	owner: Labels,
	match: readonly string[] = [],
	mismatch: readonly string[] = [],
): LabelSelector | undefined {
	if (selector === undefined || (match.length === 0 && mismatch.length === 0)) return selector;
	const requirements = (keys: readonly string[], operator: string) =>
		keys.flatMap((key) => {
			const value = owner[key];
			return value === undefined ? [] : [{ key, operator, values: [value] }];
		});
	return {
		...selector,
		matchExpressions: [
			...(selector.matchExpressions ?? []),
			...requirements(match, "In"),
			...requirements(mismatch, "NotIn"),
		],
	};
}
