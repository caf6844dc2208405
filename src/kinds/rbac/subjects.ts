/** The common part of RoleBindings and ClusterRoleBindings. */
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Column } from "../engine/kind.ts";
import type { ClusterRoleBinding, PolicyRule, RbacSubject, RoleBinding } from "../generated/types.ts";

type Binding = RoleBinding | ClusterRoleBinding;
const rbacGroup = "rbac.authorization.k8s.io";

export function bindingColumns<T extends Binding>(): Column<T>[] {
	const names = (binding: T, kind: string) =>
		(binding.subjects ?? [])
			.filter((subject) => subject.kind === kind)
			.map((subject) => (kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name}` : subject.name))
			.join(", ");
	return [
		nameColumn,
		column("Role", "Role that is granted.", ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}`),
		ageColumn,
		wideColumn("Users", "Users that are granted the role.", (binding) => names(binding, "User")),
		wideColumn("Groups", "Groups that are granted the role.", (binding) => names(binding, "Group")),
		wideColumn("ServiceAccounts", "Accounts that are granted the role.", (binding) => names(binding, "ServiceAccount")),
	];
}

export function setBindingDefaults(binding: Binding): void {
	if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= rbacGroup;
	for (const subject of binding.subjects ?? [])
		if (subject.apiGroup === undefined && subject.kind !== "ServiceAccount") subject.apiGroup = rbacGroup;
}

export function validateBinding(binding: Binding, roleKinds: readonly string[]): Cause[] {
	const { roleRef, subjects = [] } = binding;
	const causes: Cause[] = [];
	if (roleRef?.apiGroup !== rbacGroup) causes.push(notSupported("roleRef.apiGroup", roleRef?.apiGroup, [rbacGroup]));
	if (roleRef?.kind === undefined || !roleKinds.includes(roleRef.kind))
		causes.push(notSupported("roleRef.kind", roleRef?.kind, roleKinds));
	if (!roleRef?.name) causes.push(required("roleRef.name"));
	const isNamespaced = roleKinds.includes("Role");
	return [
		...causes,
		...subjects.flatMap((subject, index) => subjectProblems(subject, `subjects[${index}]`, isNamespaced)),
	];
}

/** In a namespaced binding, an account without a namespace belongs to the binding's. */
function subjectProblems(subject: RbacSubject, path: string, isNamespaced: boolean): Cause[] {
	const causes: Cause[] = [];
	if (!subject.name) causes.push(required(`${path}.name`));
	if (!["Group", "ServiceAccount", "User"].includes(subject.kind))
		causes.push(notSupported(`${path}.kind`, subject.kind, ["Group", "ServiceAccount", "User"]));
	else if (subject.kind === "ServiceAccount") {
		if (subject.apiGroup) causes.push(notSupported(`${path}.apiGroup`, subject.apiGroup, [""]));
		if (!isNamespaced && !subject.namespace) causes.push(required(`${path}.namespace`));
	} else if (subject.apiGroup !== rbacGroup)
		causes.push(notSupported(`${path}.apiGroup`, subject.apiGroup, [rbacGroup]));
	return causes;
}

export function validateBindingUpdate(binding: Binding, old: Binding): Cause[] {
	if (semanticEqual(binding.roleRef, old.roleRef)) return [];
	return [invalidValue("roleRef", binding.roleRef, "cannot change roleRef")];
}

export function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): Cause[] {
	const causes: Cause[] = [];
	for (const [index, rule] of (rules ?? []).entries()) {
		const at = `rules[${index}]`;
		const { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [] } = rule;
		if (verbs.length === 0) causes.push(required(`${at}.verbs`, "verbs must contain at least one value"));
		if (nonResourceURLs.length > 0) {
			if (namespaced)
				causes.push(
					invalidValue(`${at}.nonResourceURLs`, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"),
				);
			if (apiGroups.length + resources.length > 0)
				causes.push(
					invalidValue(
						`${at}.nonResourceURLs`,
						nonResourceURLs,
						"rules cannot apply to both regular resources and non-resource URLs",
					),
				);
			continue;
		}
		if (apiGroups.length === 0)
			causes.push(required(`${at}.apiGroups`, "resource rules must supply at least one api group"));
		if (resources.length === 0)
			causes.push(required(`${at}.resources`, "resource rules must supply at least one resource"));
	}
	return causes;
}
