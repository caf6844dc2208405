/** Compiled node selector terms (Kubernetes documentation, "Assigning Pods to Nodes", "Node affinity"). */
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from "../generated/types.ts";

export type NodeMatch = (node: Node) => boolean;

const integer = /^[+-]?[0-9]+$/;

/** Whether a node matches any of the terms; each term needs all of its requirements. An empty term matches nothing. */
export function compileNodeSelector(selector: NodeSelector): NodeMatch {
	const terms = selector.nodeSelectorTerms.map(compileTerm);
	return (node) => terms.some((term) => term(node));
}

export function compileTerm(term: NodeSelectorTerm): NodeMatch {
	const expressions = term.matchExpressions ?? [];
	const fields = term.matchFields ?? [];
	if (expressions.length === 0 && fields.length === 0) return () => false;
	return (node) =>
		expressions.every((requirement) => meets(requirement, node.metadata.labels?.[requirement.key])) &&
		// Validation allows only the field metadata.name.
		fields.every((requirement) => meets(requirement, node.metadata.name));
}

function meets(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
	const values = requirement.values ?? [];
	switch (requirement.operator) {
		case "In":
			return value !== undefined && values.includes(value);
		case "NotIn":
			return value === undefined || !values.includes(value);
		case "Exists":
			return value !== undefined;
		case "DoesNotExist":
			return value === undefined;
		case "Gt":
		case "Lt": {
			const [bound] = values;
			if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false;
			const difference = BigInt(value) - BigInt(bound);
			return requirement.operator === "Gt" ? difference > 0n : difference < 0n;
		}
		default:
			return false;
	}
}

/**
 * The names of the only nodes that a pod may run on, if every term of its selector names nodes by metadata.name;
 * undefined otherwise.
 */
export function namedNodes(selector: NodeSelector | undefined): ReadonlySet<string> | undefined {
	if (selector === undefined) return undefined;
	const names = new Set<string>();
	for (const term of selector.nodeSelectorTerms) {
		const byName = term.matchFields?.find(({ key, operator }) => key === "metadata.name" && operator === "In");
		if (byName === undefined) return undefined;
		for (const name of byName.values ?? []) names.add(name);
	}
	return names;
}
