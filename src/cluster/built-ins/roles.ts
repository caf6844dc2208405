/** The built-in roles and bindings. Additions by users are kept, missing parts are added. */
import {
	bootstrapClusterRoleBindings,
	bootstrapClusterRoles,
	bootstrapRoleBindings,
	bootstrapRoles,
} from "../../kinds/rbac/bootstrap/bootstrap.ts";
import { reconciledBinding, reconciledRole } from "../../kinds/rbac/bootstrap/reconcile.ts";
import { clusterRoles } from "../../kinds/rbac/clusterrole.ts";
import { clusterRoleBindings } from "../../kinds/rbac/clusterrolebinding.ts";
import { roles } from "../../kinds/rbac/role.ts";
import { roleBindings } from "../../kinds/rbac/rolebinding.ts";
import { type BuiltIn, builtIn } from "./built-in.ts";

export const builtInRoles: readonly BuiltIn[] = [
	...bootstrapClusterRoles.map((draft) => builtIn(clusterRoles, draft, reconciledRole)),
	...bootstrapRoles.map((draft) => builtIn(roles, draft, reconciledRole)),
	...bootstrapClusterRoleBindings.map((draft) => builtIn(clusterRoleBindings, draft, reconciledBinding)),
	...bootstrapRoleBindings.map((draft) => builtIn(roleBindings, draft, reconciledBinding)),
];
