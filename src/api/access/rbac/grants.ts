/** Which roles are granted to whom, indexed by user, group and service account. */
import type { User } from "../../../core/exchange.ts";
import type { KubeObject } from "../../../core/object.ts";
import type { ClusterRoleBinding, RbacSubject, RoleBinding } from "../../../kinds/generated/types.ts";
import { clusterRoles } from "../../../kinds/rbac/clusterrole.ts";
import { roles } from "../../../kinds/rbac/role.ts";
import { objectKey } from "../../cache/keys.ts";
import type { Decision } from "../../request/authorizer.ts";

type Binding = ClusterRoleBinding | RoleBinding;

/** One role that one binding grants to one subject. */
export interface Grant {
	/** Key of the role in the store. */
	readonly roleKey: string;
	readonly isClusterRole: boolean;
	/** The text of the grant in the reason of a decision. */
	readonly decision: Decision;
	/** The error while the role does not exist. */
	readonly missing: string;
}

/** The grants of all bindings of one scope: those of the cluster, or of one namespace. */
export class Grants {
	readonly #users = new Map<string, Set<Grant>>();
	readonly #groups = new Map<string, Set<Grant>>();

	get isEmpty(): boolean {
		return this.#users.size === 0 && this.#groups.size === 0;
	}

	/** @returns a function that removes them */
	add(binding: Binding): () => void {
		const places: { map: Map<string, Set<Grant>>; name: string; grant: Grant }[] = [];
		for (const subject of binding.subjects ?? []) {
			const name = nameOf(subject, binding);
			if (name === undefined) continue;
			const map = subject.kind === "Group" ? this.#groups : this.#users;
			const grant = grantOf(binding, subject);
			const grants = map.get(name) ?? new Set();
			map.set(name, grants.add(grant));
			places.push({ map, name, grant });
		}
		return () => {
			for (const { map, name, grant } of places) {
				const grants = map.get(name);
				grants?.delete(grant);
				if (grants?.size === 0) map.delete(name);
			}
		};
	}

	/** The first grant of the user that `suits`. */
	find(user: User, suits: (grant: Grant) => boolean): Grant | undefined {
		for (const grant of this.#users.get(user.name) ?? none) if (suits(grant)) return grant;
		for (const group of user.groups)
			for (const grant of this.#groups.get(group) ?? none) if (suits(grant)) return grant;
		return undefined;
	}
}

const none: readonly Grant[] = [];

/** The user name of a service account contains its namespace; the default is the namespace of the binding. */
function nameOf({ kind, name, namespace }: RbacSubject, binding: KubeObject): string | undefined {
	if (kind === "User" || kind === "Group") return name;
	if (kind !== "ServiceAccount") return undefined;
	const place = namespace || binding.metadata.namespace;
	return place === undefined ? undefined : `system:serviceaccount:${place}:${name}`;
}

function grantOf(binding: Binding, subject: RbacSubject): Grant {
	const { roleRef, metadata } = binding;
	const isClusterRole = roleRef.kind === "ClusterRole";
	const { namespace } = metadata;
	const [bindingKind, bindingName] =
		namespace === undefined ? ["ClusterRoleBinding", metadata.name] : ["RoleBinding", `${metadata.name}/${namespace}`];
	const to =
		subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace || (namespace ?? "")}` : subject.name;
	return {
		isClusterRole,
		roleKey: isClusterRole
			? objectKey(clusterRoles, undefined, roleRef.name)
			: objectKey(roles, namespace, roleRef.name),
		decision: {
			verdict: "allow",
			reason: `RBAC: allowed by ${bindingKind} "${bindingName}" of ${roleRef.kind} "${roleRef.name}" to ${subject.kind} "${to}"`,
		},
		missing: `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io "${roleRef.name}" not found`,
	};
}
