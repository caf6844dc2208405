/**
 * Users cannot grant permissions that they lack (Kubernetes documentation, "Using RBAC Authorization", "Privilege
 * escalation prevention and bootstrapping"): to write a role, users need its rules or the verb `escalate`; to write a
 * binding, the rules of its role or the verb `bind`. Upstream checks this in the storage of roles, before validation.
 */

import { sameJson } from "../../core/equal.ts";
import { type ApiError, notFound } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from "../../kinds/generated/types.ts";
import { clusterRoles } from "../../kinds/rbac/clusterrole.ts";
import { clusterRoleBindings } from "../../kinds/rbac/clusterrolebinding.ts";
import { compactRules, listText, ruleText, uncoveredRules } from "../../kinds/rbac/covers.ts";
import { roles } from "../../kinds/rbac/role.ts";
import { roleBindings } from "../../kinds/rbac/rolebinding.ts";
import { mastersGroup } from "../request/authorizer.ts";
import { type AdmissionStep, refused } from "../server/admission-step.ts";
import type { AdmissionAttributes } from "../server/server.ts";

const everything: PolicyRule[] = [
	{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
	{ nonResourceURLs: ["*"], verbs: ["*"] },
];

export const roleEscalation: AdmissionStep = {
	name: "RoleEscalation",
	on: { operations: ["create", "update"], kinds: [clusterRoles, roles] },
	admit: (request) => (isTrusted(request) ? undefined : admitRole(request)),
};

export const bindingEscalation: AdmissionStep = {
	name: "BindingEscalation",
	on: { operations: ["create", "update"], kinds: [clusterRoleBindings, roleBindings] },
	admit: (request) => (isTrusted(request) ? undefined : admitBinding(request)),
};

/** Administrators, and updates that change only what the garbage collector changes. */
function isTrusted({ user, object, old }: AdmissionAttributes): boolean {
	return user.groups.includes(mastersGroup) || (old !== undefined && sameJson(content(object), content(old)));
}

/** The object without what the garbage collector changes. */
function content(object: KubeObject): object {
	const { finalizers, ownerReferences, managedFields, resourceVersion, ...metadata } = object.metadata;
	return { ...object, metadata };
}

async function admitRole(request: AdmissionAttributes): Promise<void> {
	// The step is for these kinds only.
	const role = request.object as ClusterRole | Role;
	const old = request.old as ClusterRole | Role | undefined;
	if (await may(request, "escalate", request.kind.plural, request.old === undefined ? "" : request.name)) return;
	await confirmHeld(request, role.rules ?? []);
	// An aggregated role may gain any rules.
	if (!gathers(role) && !gathers(old)) return;
	const why = "must have cluster-admin privileges to use an aggregationRule";
	if ((await missingRules(request, everything)).missing.length > 0) throw refused(request, why);
}

function gathers(role: ClusterRole | Role | undefined): boolean {
	return role !== undefined && "aggregationRule" in role && role.aggregationRule !== undefined;
}

async function admitBinding(request: AdmissionAttributes): Promise<void> {
	// The step is for these kinds only.
	const { roleRef } = request.object as ClusterRoleBinding | RoleBinding;
	// The role of a binding may be missing or invalid: validation reports that.
	if (roleRef?.kind !== "ClusterRole" && roleRef?.kind !== "Role") return;
	const isClusterRole = roleRef.kind === "ClusterRole";
	if (await may(request, "bind", (isClusterRole ? clusterRoles : roles).plural, roleRef.name)) return;
	const { cache } = request.server;
	const role: ClusterRole | Role | undefined = isClusterRole
		? cache.find(clusterRoles, undefined, roleRef.name)
		: cache.find(roles, request.namespace, roleRef.name);
	if (role === undefined) throw roleNotFound(roleRef);
	await confirmHeld(request, role.rules ?? []);
}

/** Upstream names the resource in the singular here. */
function roleNotFound({ kind, name }: { kind: string; name: string }): ApiError {
	return notFound({ group: clusterRoles.group, plural: kind.toLowerCase() }, name);
}

async function may(
	{ server, user, namespace }: AdmissionAttributes,
	verb: string,
	plural: string,
	name: string,
): Promise<boolean> {
	const resource = { group: clusterRoles.group, version: "*", plural, namespace: namespace ?? "", name };
	return (await server.authorizer.authorize({ user, verb, path: "", resource })).verdict === "allow";
}

async function missingRules({ server, user, namespace = "" }: AdmissionAttributes, wanted: readonly PolicyRule[]) {
	const { resourceRules, nonResourceRules, evaluationError } = await server.authorizer.rulesFor(user, namespace);
	// The same lists, in the types of roles, which may be written to; nobody writes to these.
	const held = [...resourceRules, ...nonResourceRules] as unknown as PolicyRule[];
	return { missing: compactRules(uncoveredRules(held, wanted)), evaluationError };
}

/** @throws ApiError Forbidden with the rules that the user lacks */
async function confirmHeld(request: AdmissionAttributes, wanted: readonly PolicyRule[]): Promise<void> {
	const { missing, evaluationError } = await missingRules(request, wanted);
	if (missing.length === 0) return;
	const { name, groups } = request.user;
	const rules = [...new Set(missing.map(ruleText))].sort().join("\n");
	const errors = evaluationError === undefined ? "" : `; resolution errors: [${evaluationError}]`;
	const who = `user ${JSON.stringify(name)} (groups=${listText(groups)})`;
	throw refused(request, `${who} is attempting to grant RBAC permissions not currently held:\n${rules}${errors}`);
}
