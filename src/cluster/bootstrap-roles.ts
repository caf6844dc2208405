/** Makes the roles and bindings that every cluster has, and adds what those that are there lack. */
import type { Client } from "../client/client.ts";
import { isReason } from "../core/errors.ts";
import type { Draft, KubeObject } from "../core/object.ts";
import type { Kind } from "../kinds/kind.ts";
import {
	bootstrapClusterRoleBindings,
	bootstrapClusterRoles,
	bootstrapRoleBindings,
	bootstrapRoles,
} from "../kinds/rbac/bootstrap/bootstrap.ts";
import { reconciledBinding, reconciledRole } from "../kinds/rbac/bootstrap/reconcile.ts";
import { clusterRoles } from "../kinds/rbac/clusterrole.ts";
import { clusterRoleBindings } from "../kinds/rbac/clusterrolebinding.ts";
import { roles } from "../kinds/rbac/role.ts";
import { roleBindings } from "../kinds/rbac/rolebinding.ts";

/** All writes are under way at once, so that the store commits them together. @param client may do everything */
export async function reconcileRoles(client: Client): Promise<void> {
	await Promise.all([
		reconcile(client, clusterRoles, bootstrapClusterRoles, reconciledRole),
		reconcile(client, roles, bootstrapRoles, reconciledRole),
		reconcile(client, clusterRoleBindings, bootstrapClusterRoleBindings, reconciledBinding),
		reconcile(client, roleBindings, bootstrapRoleBindings, reconciledBinding),
	]);
}

async function reconcile<T extends KubeObject>(
	client: Client,
	kind: Kind<T>,
	drafts: readonly Draft<T>[],
	reconciled: (found: T, wanted: Draft<T>) => T | "replace" | undefined,
): Promise<void> {
	const { items } = await client.list(kind, {});
	const found = new Map(items.map((item) => [keyOf(item.metadata), item]));
	await Promise.all(
		drafts.map(async (draft) => {
			const current = found.get(keyOf(draft.metadata));
			const next = current === undefined ? "replace" : reconciled(current, draft);
			if (next === undefined) return;
			try {
				if (next !== "replace") await client.update(kind, next);
				else {
					const ref = { name: draft.metadata.name ?? "", namespace: draft.metadata.namespace };
					if (current !== undefined) await client.delete(kind, ref);
					await client.create(kind, draft);
				}
			} catch (error) {
				// Another client writes it at the same time; what that leaves out is added at the next start.
				if (!isReason(error, "Conflict", "AlreadyExists", "NotFound")) throw error;
			}
		}),
	);
}

function keyOf({ namespace = "", name = "" }: { namespace?: string; name?: string }): string {
	return `${namespace}/${name}`;
}
