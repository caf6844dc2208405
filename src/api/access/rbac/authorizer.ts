/** Role-based access control: what the roles that are bound to a user, and to their groups, allow. */
import type { PolicyRule } from "../../../kinds/generated/types.ts";
import type { Attributes, Authorizer, Decision, NonResourceRule, ResourceRule } from "../../request/authorizer.ts";
import type { Grant } from "./grants.ts";
import type { RolePolicy } from "./policy.ts";
import { rulesAllow } from "./rules.ts";

const noOpinion: Decision = { verdict: "none", reason: "" };

export function roleAuthorizer(policy: RolePolicy): Authorizer {
	return {
		authorize: (attributes) => decide(policy, attributes),
		async rulesFor(user, namespace) {
			const resourceRules: ResourceRule[] = [];
			const nonResourceRules: NonResourceRule[] = [];
			const missing = new Set<string>();
			const seen = new Set<string>();
			policy.find(user, namespace, (grant) => {
				if (seen.has(grant.roleKey)) return false;
				seen.add(grant.roleKey);
				const rules = policy.rules(grant);
				if (rules === undefined) missing.add(grant.missing);
				for (const rule of rules ?? []) sort(rule, resourceRules, nonResourceRules);
				return false;
			});
			const evaluationError = missing.size > 0 ? together(missing) : undefined;
			// A role that does not exist gives nothing, so the lists are whole.
			return { resourceRules, nonResourceRules, incomplete: false, ...(evaluationError && { evaluationError }) };
		},
	};
}

function decide(policy: RolePolicy, attributes: Attributes): Decision {
	let missing: Set<string> | undefined;
	const suits = (grant: Grant) => {
		const rules = policy.compiledRules(grant);
		if (rules !== undefined) return rulesAllow(rules, attributes);
		missing ??= new Set();
		missing.add(grant.missing);
		return false;
	};
	const found = policy.find(attributes.user, attributes.resource?.namespace, suits);
	if (found !== undefined) return found.decision;
	return missing === undefined ? noOpinion : { verdict: "none", reason: `RBAC: ${together(missing)}` };
}

function together(problems: ReadonlySet<string>): string {
	const texts = [...problems];
	return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

function sort(rule: PolicyRule, resourceRules: ResourceRule[], nonResourceRules: NonResourceRule[]): void {
	const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
	if (resources.length > 0)
		resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames.length > 0 && { resourceNames }) });
	if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs });
}
